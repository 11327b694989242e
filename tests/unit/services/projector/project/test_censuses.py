"""Given censuses of a project, then what is proved of it, and what its log says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from libs.events import OVERTAKEN, AbsenceReason, Event, GoneCount
from services.projector.tables.times import stamp
from tests.unit.made import build
from tests.unit.services.projector.applied import apply, dump, empty_tables, rows

LATER = build.MOMENT + timedelta(hours=6)


@pytest.fixture
def tables() -> Iterator[Connection]:
    with empty_tables() as connection:
        yield connection


def given_events(tables: Connection, *events: Event) -> None:
    apply(tables, build.recorded(events))


def taken(tables: Connection) -> dict[str, Any]:
    (row,) = rows(tables, "census")
    return row


def proofs(tables: Connection) -> dict[str, dict[str, Any]]:
    return {row["entity"]: row for row in rows(tables, "completeness")}


def line(tables: Connection) -> tuple[str, str]:
    newest = rows(tables, "sync_log")[-1]
    return newest["level"], newest["message"]


def test_before_the_first_census_nothing_is_proved(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.succeeded())
    assert (taken(tables)["taken_at"], taken(tables)["proved_at"], taken(tables)["version"]) == (None, None, 0)
    found = {entity: (row["in_jira"], row["here"], row["proved_at"]) for entity, row in proofs(tables).items()}
    assert found == dict.fromkeys(("issue", "comment", "worklog"), (None, None, None))


def test_a_census_proves_what_it_compared(tables: Connection) -> None:
    compared = (build.proof(in_jira=1204, here=1204), build.proof("comment", 50, 48, restricted=2))
    changes: dict[str, Any] = {"gone": (GoneCount(reason="DELETED", number=3),), "fetched": 1, "returned": 2}
    given_events(tables, build.registered(), build.census(*compared, **changes))
    assert taken(tables)["proved_at"] == taken(tables)["taken_at"] == stamp(build.MOMENT)
    assert json.loads(taken(tables)["gone"]) == [{"reason": "DELETED", "number": 3}]
    found = proofs(tables)
    assert (found["issue"]["in_jira"], found["issue"]["proved_at"]) == (1204, stamp(build.MOMENT))
    assert json.loads(found["comment"]["differences"]) == [{"cause": "RESTRICTED", "number": 2, "ids": ["0", "1"]}]
    assert found["worklog"]["proved_at"] is None, "it was not compared"
    assert line(tables) == (
        "INFO",
        "Census of DEMO: 1,204 of 1,204 issues; 48 of 50 comments (2 not shown to our account)."
        " Gone: 3 deleted. Shown again: 2 issues. Fetched, as it was missing: 1 issue.",
    )


def test_where_jira_does_not_say_how_many_nothing_is_proved(tables: Connection) -> None:
    given_events(tables, build.registered(), build.census(build.proof(), build.proof("worklog", None, 7)))
    assert (proofs(tables)["worklog"]["here"], proofs(tables)["worklog"]["proved_at"]) == (7, None)
    assert line(tables)[1] == "Census of DEMO: 100 of 100 issues; 7 worklogs."


def test_that_jira_shows_a_project_no_more_is_a_proof_once_a_person_has_accepted_it(tables: Connection) -> None:
    nothing = build.proof(in_jira=None, here=0)
    given_events(tables, build.registered(), build.census(nothing))
    assert proofs(tables)["issue"]["proved_at"] is None
    apply(tables, build.recorded([build.census(), build.census(nothing, accepted_by="ada")])[1:])
    assert proofs(tables)["issue"]["proved_at"] == stamp(build.MOMENT)


def test_one_that_is_held_back_proves_nothing_and_says_what_seems_gone(tables: Connection) -> None:
    given_events(tables, build.registered(), build.census(), build.held_back(LATER))
    row = taken(tables)
    assert (row["taken_at"], row["proved_at"], row["held_back"]) == (stamp(LATER), stamp(build.MOMENT), 40)
    assert proofs(tables)["issue"]["proved_at"] == stamp(build.MOMENT)
    assert json.loads(proofs(tables)["issue"]["differences"])[0]["cause"] == "HELD_BACK"
    level, message = line(tables)
    assert level == "WARNING"
    assert message.endswith("Nothing was removed: 40 of 100 issues seem gone, more than 20.")


def test_a_failure_is_told_and_leaves_what_was_proved(tables: Connection) -> None:
    given_events(tables, build.registered(), build.census(), build.census_failed(), build.census_failed(at=LATER))
    row = taken(tables)
    assert (row["error_code"], row["failures"], row["failed_at"]) == ("FORBIDDEN", 2, stamp(LATER))
    assert row["proved_at"] == stamp(build.MOMENT)
    assert line(tables) == (
        "WARNING",
        "Census of DEMO failed, and proved nothing: The account may not browse it. Give it the permission.",
    )


def test_one_that_was_overtaken_is_no_failure(tables: Connection) -> None:
    given_events(tables, build.registered(), build.census(), build.census_failed(OVERTAKEN))
    assert (taken(tables)["error_code"], taken(tables)["version"]) == (None, 2)


def test_a_completed_one_ends_the_failures(tables: Connection) -> None:
    given_events(tables, build.registered(), build.census_failed(), build.census(at=LATER))
    assert (taken(tables)["error_code"], taken(tables)["failures"]) == (None, 0)


@pytest.mark.parametrize("changed", [build.unregistered(), build.tracked("ann")], ids=["unregistered", "watch list"])
def test_a_proof_does_not_hold_for_another_set_of_issues(tables: Connection, changed: Event) -> None:
    given_events(tables, build.registered(), build.census(), changed)
    assert (taken(tables)["proved_at"], taken(tables)["version"]) == (None, 1)
    assert {row["in_jira"] for row in proofs(tables).values()} == {None}


def test_what_people_asked_is_remembered_with_their_name(tables: Connection) -> None:
    given_events(tables, build.registered(), build.census_requested(accept=True))
    assert (taken(tables)["requested_by"], taken(tables)["accepting"]) == ("ada", True)
    assert line(tables)[1] == "ada accepted that what the last census held back goes."
    assert rows(tables, "project_change")[-1]["kind"] == "CENSUS_REQUESTED"


def test_applied_twice_and_event_by_event_it_is_the_same(tables: Connection) -> None:
    events = [build.registered(), build.census(), build.census_failed(), build.held_back(LATER), build.census(at=LATER)]
    log = build.recorded(events)
    apply(tables, log)
    once = dump(tables)
    for recorded in log:
        apply(tables, [recorded])
    assert dump(tables) == once
    with empty_tables() as others:
        for recorded in log:
            apply(others, [recorded])
        assert dump(others) == once


@pytest.mark.parametrize("reason", [AbsenceReason.MOVED, AbsenceReason.POLICY])
def test_an_absence_says_where_the_issue_is_now(tables: Connection, reason: AbsenceReason) -> None:
    gone = build.issue_gone("1", reason, key="OTHER-7", former_key="DEMO-1")
    given_events(tables, build.registered(), build.issue("1"), gone, build.comment_gone())
    issue = {row["kind"]: row for row in rows(tables, "gone")}["issue"]
    assert (issue["reason"], issue["key"], issue["former_key"]) == (reason.value, "OTHER-7", "DEMO-1")
    assert rows(tables, "issue") == []
