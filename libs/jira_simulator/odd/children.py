"""Kinds of comments and worklogs, and of the lists that hold them."""

from __future__ import annotations

import random
from typing import Any, Final

from libs.jira_simulator.odd import documents
from libs.jira_simulator.odd.kinds import (
    ODD_TIMES,
    Kind,
    ListFault,
    as_other,
    harmless,
    partial,
    put,
    put_one_of,
    refused_with,
    replaced,
    replaced_by_one_of,
    unreadable,
    without,
)
from libs.jira_simulator.odd.values import HALF_EMOJI, fuzzing

_BOTH: Final[tuple[Kind, ...]] = (
    unreadable("no id", without("id")),
    unreadable("id of another type", put_one_of((None, "", [], {}), "id")),
    unreadable("no object", replaced_by_one_of(None, "text", 5, [])),
    harmless("id as number", as_other("id", int)),
    partial("author null", put("author", value=None), "author_id"),
    partial("no author", without("author"), "author_id"),
    partial(
        "author of Server", put("author", value={"name": "jdoe", "displayName": "J. Doe", "active": None}), "author_id"
    ),
    partial("author of another type", put_one_of(("jdoe", 5, [], {}), "author"), "author_id"),
    partial("odd updated", put_one_of(ODD_TIMES, "updated"), "updated"),
    partial("odd created", put_one_of(ODD_TIMES, "created"), "created"),
    harmless("update author of another type", put_one_of((None, "jdoe", {}, 5), "updateAuthor")),
    partial("fuzzed", fuzzing("id", "issueId")),
    partial("fuzzed", fuzzing("id", "issueId")),
)

COMMENTS: Final[tuple[Kind, ...]] = (
    *_BOTH,
    harmless("body with an odd node", documents.at("body", documents.beside)),
    harmless("body nested", documents.at("body", documents.nested)),
    partial("body ruined", documents.at("body", documents.ruined), "words"),
    partial("half an emoji", put("body", value=f"cut {HALF_EMOJI}"), "words"),
)

WORKLOGS: Final[tuple[Kind, ...]] = (
    *_BOTH,
    partial(
        "odd seconds",
        put_one_of((None, "3600", 3600.5, -60, 2**31, 2**63, 10**40, "1h"), "timeSpentSeconds"),
        "time_spent_seconds",
    ),
    partial("odd start", put_one_of(ODD_TIMES, "started"), "started"),
    harmless("comment ruined", documents.at("comment", documents.ruined)),
)


def _cut(page: Any, _: random.Random) -> Any:
    """The page inside an issue, with one child at most, so that the list itself is asked for."""
    name = "comments" if "comments" in page else "worklogs"
    page[name] = page[name][:1]
    return page


def _larger_total(page: Any, rng: random.Random) -> Any:
    return page | {"total": page["total"] + rng.randint(1, 40)}


INLINE_LISTS: Final[tuple[Kind, ...]] = (
    harmless("short", _cut),
    harmless("of another shape", replaced_by_one_of([], "text", 7, {"comments": None, "total": 9}, {"total": 9})),
    harmless("larger total", _larger_total),
    harmless("total as text", as_other("total", str)),
)
"""Of the page of children inside an issue; the list itself may be odd as well."""

LISTS: Final[tuple[Kind, ...]] = (
    harmless("larger total", _larger_total),
    harmless("odd total", put_one_of((None, "12", -1, 1.5, {}), "total")),
    harmless("no total", without("total")),
    harmless("total of none", put("total", value=0)),
    harmless("fuzzed around", fuzzing("comments", "worklogs")),
    replaced("ignores startAt", ListFault.IGNORES_START),
    *refused_with(*(fault for fault in ListFault if fault.status not in (None, 401))),
)
"""Of the list of an issue's comments or worklogs at its own address."""
