"""What is proved of a project, and what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.read_tables import (
    NEVER,
    census,
    comment,
    completeness,
    former_key,
    gone,
    issue,
    project,
    sync_job,
    sync_state,
    worklog,
)
from tests.integration.graphql.conftest import Api
from tests.unit.made import rows

COMPARED = """query ($p: ID!, $entity: String) { completeness(projectId: $p, entity: $entity) {
  entity status inJira hereThen here provedAt differences { cause number ids keys } } }"""
CENSUS = """query ($p: ID!) { census(projectId: $p) { status everySeconds takenAt provedAt runId counted
  gone { reason number } returned fetched heldBack brake acceptedBy requests seconds requestedAt requestedBy accepting
  error { code message advice at failures } } }"""


def minutes_ago(minutes: float) -> str:
    moment = datetime.now(UTC) - timedelta(minutes=minutes)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def synced(*keys: str) -> list[dict[str, Any]]:
    entities = ("issue", "comment", "worklog")
    return [rows.state(entity, key, last_sync_time=rows.DAY) for key in keys for entity in entities]


def fill(api: Api) -> None:
    """A project of three issues with four comments and a worklog, proved three minutes ago."""
    api.insert(project, [rows.project()])
    api.insert(sync_job, [rows.job()])
    api.insert(sync_state, synced("DEMO"))
    api.insert(issue, [rows.issue(number) for number in (1, 2, 3)])
    api.insert(comment, [rows.comment(number, str(10000 + 1 + number % 2)) for number in range(4)])
    api.insert(worklog, [rows.worklog(1, "10003")])
    proved = {"taken_at": minutes_ago(3), "proved_at": minutes_ago(3)}
    api.insert(census, [rows.census(gone='[{"reason":"DELETED","number":2}]', **proved)])
    restricted = json.dumps([{"cause": "RESTRICTED", "number": 2, "ids": ["10001", "10099"]}])
    api.insert(
        completeness,
        [
            rows.compared(proved_at=proved["proved_at"]),
            rows.compared("comment", in_jira=6, here=4, differences=restricted, proved_at=proved["proved_at"]),
            rows.compared("worklog", in_jira=None, here=1, proved_at=None),
        ],
    )


async def test_each_entity_says_what_is_proved_of_it(api: Api) -> None:
    fill(api)
    issues, comments, worklogs = (await api.data(COMPARED, p="DEMO"))["completeness"]
    told = ("entity", "status", "inJira", "hereThen", "here")
    assert [issues[name] for name in told] == ["issue", "PROVED", 3, 3, 3]
    assert [comments[name] for name in told] == ["comment", "DIFFERENT", 6, 4, 4]
    assert comments["differences"] == [
        {"cause": "RESTRICTED", "number": 2, "ids": ["10001", "10099"], "keys": ["DEMO-1"]}
    ]
    assert [worklogs[name] for name in told] == ["worklog", "NEVER_PROVED", None, 1, 1]
    assert worklogs["provedAt"] is None
    assert issues["provedAt"] is not None
    (only,) = (await api.data(COMPARED, p="DEMO", entity="comment"))["completeness"]
    assert only == comments
    assert (await api.error(COMPARED, p="DEMO", entity="sprint"))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_what_is_here_is_counted_now(api: Api) -> None:
    fill(api)
    api.insert(issue, [rows.issue(4), rows.issue(5, project_key="OTHER")])
    api.insert(comment, [rows.comment(9, "10004"), rows.comment(10, "10005")])
    found = {each["entity"]: each for each in (await api.data(COMPARED, p="DEMO"))["completeness"]}
    assert (found["issue"]["here"], found["issue"]["hereThen"], found["issue"]["inJira"]) == (4, 3, 3)
    assert found["comment"]["here"] == 5
    assert found["issue"]["status"] == "PROVED", "what was read since then is no difference"


async def test_a_project_that_was_never_synced_or_never_proved_says_that(api: Api) -> None:
    api.insert(project, [rows.project("NEW", "1"), rows.project("OLD", "2")])
    api.insert(sync_state, [rows.state("issue", "NEW", last_sync_time=NEVER), *synced("OLD")])
    asked = "{ projects { key census { status provedAt } completeness { status inJira here provedAt } } }"
    new, old = (await api.data(asked))["projects"]
    nothing = {"inJira": None, "here": 0, "provedAt": None}
    assert new["census"] == {"status": "NEVER_SYNCED", "provedAt": None}
    assert new["completeness"] == [{"status": "NEVER_SYNCED", **nothing}] * 3
    assert old["census"] == {"status": "NEVER_PROVED", "provedAt": None}
    assert old["completeness"] == [{"status": "NEVER_PROVED", **nothing}] * 3


async def test_the_last_census_says_what_it_did(api: Api) -> None:
    fill(api)
    found = (await api.data(CENSUS, p="DEMO"))["census"]
    assert (found["status"], found["everySeconds"], found["counted"], found["requests"]) == ("DIFFERENT", 21600, 3, 3)
    assert found["gone"] == [{"reason": "DELETED", "number": 2}]
    assert (found["brake"], found["error"], found["runId"]) == (None, None, "census")


async def test_one_that_was_held_back_or_failed_says_why(api: Api) -> None:
    api.insert(project, [rows.project("HELD", "1"), rows.project("FAILED", "2"), rows.project("LONG", "3")])
    api.insert(sync_state, synced("HELD", "FAILED", "LONG"))
    failed = {"error_code": "FORBIDDEN", "error_message": "No.", "error_advice": "Ask.", "failures": 2}
    held = rows.census("HELD", brake="40 of 100 issues seem gone.", held_back=40)
    api.insert(census, [held, rows.census("FAILED", failed_at=rows.DAY, **failed), rows.census("LONG")])
    api.insert(completeness, [rows.compared("issue", key) for key in ("HELD", "FAILED", "LONG")])
    found = {key: (await api.data(CENSUS, p=key))["census"] for key in ("HELD", "FAILED", "LONG")}
    assert {key: each["status"] for key, each in found.items()} == {
        "HELD": "HELD_BACK",
        "FAILED": "FAILED",
        "LONG": "STALE",
    }
    assert (found["HELD"]["brake"], found["HELD"]["heldBack"]) == ("40 of 100 issues seem gone.", 40)
    error = found["FAILED"]["error"]
    assert (error["code"], error["advice"], error["failures"]) == ("FORBIDDEN", "Ask.", 2)


async def test_the_job_shows_the_same_and_many_projects_take_as_many_statements_as_one(api: Api) -> None:
    fill(api)
    asked = "{ syncJobs { completeness { entity status inJira hereThen here provedAt differences { cause } } } }"
    await api.data(asked)
    api.statements.clear()
    (job,) = (await api.data(asked))["syncJobs"]
    alone = len(api.statements)
    assert [each["status"] for each in job["completeness"]] == ["PROVED", "DIFFERENT", "NEVER_PROVED"]
    keys = [f"P{number}" for number in range(5)]
    api.insert(project, [rows.project(key, str(number)) for number, key in enumerate(keys)])
    api.insert(sync_job, [rows.job(key) for key in keys])
    api.insert(completeness, [rows.compared("issue", key) for key in keys])
    api.statements.clear()
    assert len((await api.data(asked))["syncJobs"]) == 6
    assert len(api.statements) == alone


async def test_an_absence_names_the_issue_and_where_it_is_now(api: Api) -> None:
    api.insert(project, [rows.project()])
    names = {"key": None, "former_key": None}
    api.insert(
        gone,
        [
            rows.absence("1", reason="MOVED", key="OTHER-7", former_key="DEMO-1"),
            rows.absence("2", reason="DELETED", doubtful=True, **names),
            rows.absence("2", kind="comment", reason="DELETED", **names),
        ],
    )
    api.insert(former_key, [rows.former_key("OLD-2", "2") | {"version": 1}, rows.former_key("DEMO-2", "2")])
    api.insert(former_key, [rows.former_key("ELSEWHERE-2", "2") | {"site": "other", "version": 9}])
    asked = '{ absences(projectId: "DEMO") { entity id reason doubtful key formerKey } }'
    found = {(each["entity"], each["id"]): each for each in (await api.data(asked))["absences"]}
    assert (found["issue", "1"]["key"], found["issue", "1"]["formerKey"]) == ("OTHER-7", "DEMO-1")
    assert [found["issue", "1"]["doubtful"], found["issue", "2"]["doubtful"]] == [False, True]
    assert (found["issue", "2"]["key"], found["issue", "2"]["formerKey"]) == (None, "DEMO-2")
    assert (found["comment", "2"]["formerKey"], found["comment", "2"]["reason"]) == (None, "DELETED")
