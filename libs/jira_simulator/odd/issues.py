"""Kinds of issues, as `search/jql` and `bulkfetch` show them."""

from __future__ import annotations

import random
from typing import Any, Final

from libs.jira_simulator.odd import documents
from libs.jira_simulator.odd.kinds import (
    ODD_TIMES,
    Absent,
    Change,
    Kind,
    as_other,
    both,
    harmless,
    partial,
    put,
    put_one_of,
    replaced,
    replaced_by_one_of,
    unreadable,
    without,
)
from libs.jira_simulator.odd.noise import NOISE
from libs.jira_simulator.odd.values import HALF_EMOJI, fuzzed
from libs.jira_simulator.site.catalogue import SPRINT_FIELD


def _cut_in_two(issue: Any, _: random.Random) -> Any:
    for name in ("summary", "environment"):
        issue["fields"][name] = f"{issue['fields'].get(name) or ''} {HALF_EMOJI}"
    return issue


def _described(change: Change) -> Change:
    def changed(issue: Any, rng: random.Random) -> Any:
        documents.at("description", change)(issue["fields"], rng)
        return issue

    return changed


def _fuzzed_fields(issue: Any, rng: random.Random) -> Any:
    return issue | {"fields": fuzzed(issue["fields"], rng, leave=("comment", "worklog"))}


def _choice_among_sprints(issue: Any, _: random.Random) -> Any:
    """Some sites give the type of sprints to a field that lists choices."""
    fields = issue["fields"]
    fields[SPRINT_FIELD] = [*(fields.get(SPRINT_FIELD) or ()), {"value": "Team A", "id": "10401", "self": "…/option"}]
    return issue


def _sprints_as_text(issue: Any, _: random.Random) -> Any:
    """The form of Jira Server; goals hold commas, brackets and what looks like an id."""
    sprints = issue["fields"].get(SPRINT_FIELD)
    if isinstance(sprints, list):
        issue["fields"][SPRINT_FIELD] = [
            "com.atlassian.greenhopper.service.sprint.Sprint@6f[completeDate=<null>,"
            f"id={one['id']},rapidViewId={one.get('boardId')},state={str(one.get('state')).upper()},"
            f"name={one.get('name')},goal=ship id=7, then rest [really],sequence={one['id']},startDate=<null>]"
            if isinstance(one, dict) and "id" in one
            else one
            for one in sprints
        ]
    return issue


ISSUES: Final[tuple[Kind, ...]] = (
    *NOISE,
    # What stands where, and cannot be read at all.
    unreadable("no fields", without("fields")),
    unreadable("fields of another type", put_one_of((None, [], {}, "fields", 7), "fields")),
    unreadable("no key", without("key")),
    unreadable("key of another type", put_one_of((None, "", [], {}, True), "key")),
    unreadable("no id", without("id")),
    unreadable("id of another type", put_one_of((None, "", [], {}, 1.5), "id")),
    unreadable("no object", replaced_by_one_of(None, "issue", 5, [], {})),
    unreadable("description without a bottom", _described(documents.bottomless)),
    replaced("not mentioned", Absent.UNMENTIONED),
    replaced("timed out", Absent.TIMED_OUT),
    # What can be read but for one field.
    partial("odd updated", put_one_of(ODD_TIMES, "fields", "updated"), "updated"),
    partial("odd created", put_one_of(ODD_TIMES, "fields", "created"), "created"),
    partial(
        "no times",
        both(without("fields", "created"), without("fields", "updated")),
        "created",
        "updated",
    ),
    partial("status of another type", put_one_of(("Open", None, [], 3, {"name": None}), "fields", "status"), "status"),
    partial("priority of another type", put_one_of(("High", [], 3, {"name": 4}), "fields", "priority"), "priority"),
    partial("summary of another type", put_one_of((None, 12, ["text"], {"raw": "x"}), "fields", "summary"), "summary"),
    partial("half an emoji", _cut_in_two, "summary"),
    partial("NUL", put("fields", "summary", value="nul \u0000 inside"), "summary"),
    partial(
        "assignee of Server", put("fields", "assignee", value={"name": "jdoe", "displayName": "J. Doe"}), "assignee_id"
    ),
    partial(
        "assignee of another type",
        put_one_of(("jdoe", 5, [], {}, {"accountId": None}), "fields", "assignee"),
        "assignee_id",
    ),
    partial(
        "reporter anonymous",
        put_one_of((None, {"accountId": "", "displayName": None}), "fields", "reporter"),
        "reporter_id",
    ),
    partial(
        "sprints of another type",
        put_one_of(("Sprint 1", 7, [[7]], [None], {"id": None}), "fields", SPRINT_FIELD),
        "sprints",
    ),
    partial("fuzzed", _fuzzed_fields),
    partial("fuzzed", _fuzzed_fields),
    partial("fuzzed", _fuzzed_fields),
    # What reads otherwise and says the same.
    harmless("id as number", as_other("id", int)),
    harmless("description with an odd node", _described(documents.beside)),
    harmless("description nested", _described(documents.nested)),
    harmless("description ruined", _described(documents.ruined)),
    harmless("choice among sprints", _choice_among_sprints),
    harmless("sprints as text", _sprints_as_text),
)
