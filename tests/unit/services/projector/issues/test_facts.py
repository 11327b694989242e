"""Given facts of Jira, then rows: issues, comments, worklogs, users, sprints."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from libs.events import AbsenceReason, Event, Recorded
from services.projector.issues.payloads import memberships
from services.projector.issues.sprints import current_sprint
from tests.unit.made import build
from tests.unit.services.projector.applied import apply, dump, empty_tables, rows


@pytest.fixture
def tables() -> Iterator[Connection]:
    with empty_tables() as connection:
        yield connection


def given_events(tables: Connection, *events: Event) -> None:
    apply(tables, build.recorded(events))


def only(found: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(found) == 1
    return found[0]


def test_an_issue_becomes_a_row(tables: Connection) -> None:
    event = build.issue("7")
    given_events(tables, event)
    assert only(rows(tables, "issue")) == {
        "site": "acme",
        "issue_id": "7",
        "project_key": "DEMO",
        "key": "DEMO-7",
        "summary": "Issue 7",
        "description": "What is to be done",
        "status": "To Do",
        "status_category": "new",
        "priority": "High",
        "issue_type": "Story",
        "assignee_id": "u1",
        "reporter_id": "u2",
        "sprint_id": None,
        "created": "2026-01-02T03:04:05.678Z",
        "updated": "2026-01-02T03:04:05.678Z",
        "payload": bytes(event.payload).decode(),
        "version": 1,
    }


def test_what_jira_leaves_out_has_a_default(tables: Connection) -> None:
    nothing = dict.fromkeys(
        ("summary", "description", "status", "priority", "issuetype", "assignee", "reporter", "created", "updated")
    )
    given_events(tables, build.issue("7", **nothing))
    row = only(rows(tables, "issue"))
    assert (row["summary"], row["description"], row["status"]) == ("", None, "Unknown")
    assert (row["priority"], row["issue_type"], row["assignee_id"], row["reporter_id"]) == (None, None, None, None)
    assert row["created"] == row["updated"] == "2026-01-02T03:04:05.678Z"  # of the event


def test_a_wiki_description_passes_through(tables: Connection) -> None:
    given_events(tables, build.issue("7", description="h1. Hello"))
    assert only(rows(tables, "issue"))["description"] == "h1. Hello"


def test_the_newest_version_of_an_issue_wins(tables: Connection) -> None:
    first, second = build.recorded([build.issue("7", summary="old"), build.issue("7", summary="new")])
    apply(tables, [second])
    apply(tables, [first])
    row = only(rows(tables, "issue"))
    assert (row["summary"], row["version"]) == ("new", 2)


def test_comments_and_worklogs_become_rows(tables: Connection) -> None:
    given_events(tables, build.comment(), build.worklog())
    comment = only(rows(tables, "comment"))
    assert (comment["issue_id"], comment["author_id"], comment["body"]) == ("1", "u1", "Well done")
    worklog = only(rows(tables, "worklog"))
    assert (worklog["time_spent_seconds"], worklog["comment"]) == (3600, "Wrote tests")
    assert worklog["started"] == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize("author", [None, {}, {"accountId": None}, {"displayName": "Server user", "key": "jdoe"}])
def test_a_comment_without_author_belongs_to_a_former_user(tables: Connection, author: Any) -> None:
    given_events(tables, build.comment(author=author))
    assert only(rows(tables, "comment"))["author_id"] == "unknown"
    user = only(rows(tables, "jira_user"))
    assert (user["account_id"], user["display_name"], user["active"]) == ("unknown", "Former user", False)


def test_a_user_becomes_a_row_with_the_largest_picture(tables: Connection) -> None:
    given_events(tables, build.user("u1", "Ada Lovelace"))
    user = only(rows(tables, "jira_user"))
    assert (user["display_name"], user["active"], user["avatar_url"]) == ("Ada Lovelace", True, "https://a/48")


def test_whoever_is_named_has_a_row_which_the_fetched_user_replaces(tables: Connection) -> None:
    given_events(tables, build.comment())
    assert only(rows(tables, "jira_user"))["display_name"] == "Unknown user"
    given_events(tables, build.user("u1", "Ada"))
    assert only(rows(tables, "jira_user"))["display_name"] == "Ada"


def test_a_comment_may_come_before_its_issue_and_its_author(tables: Connection) -> None:
    events = [build.comment(), build.issue("1"), build.user("u1"), build.user("u2")]
    given_events(tables, *events)
    with empty_tables() as other:
        given_events(other, *reversed(events))
        assert dump(tables) == dump(other)


def test_a_sprint_of_either_shape_becomes_a_row(tables: Connection) -> None:
    of_board = build.sprint(5, "ACTIVE", originBoardId=9)
    of_field = build.sprint(6, "future", startDate=None, goal=None)
    given_events(tables, of_board, of_field)
    five, six = rows(tables, "sprint")
    assert (five["board_id"], five["state"], five["start_date"]) == ("9", "active", "2026-01-02T03:04:05.678Z")
    assert (six["board_id"], six["state"], six["start_date"], six["goal"]) == ("3", "future", None, None)


ENTRIES = [(1, "closed"), (2, "closed"), (3, "future"), (4, "future"), (5, "active")]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, None), (1, "1"), (2, "2"), (3, "3"), (4, "3"), (5, "5")],
    ids=["none", "closed", "last closed", "future", "first future", "active"],
)
def test_the_current_sprint_is_active_else_future_else_last_closed(count: int, expected: str | None) -> None:
    entries = memberships([build.sprint_entry(*entry) for entry in ENTRIES[:count]])
    assert current_sprint(entries, {}) == expected


def test_the_sprint_itself_knows_its_state_better_than_the_issue(tables: Connection) -> None:
    entries = [build.sprint_entry(1, "active"), build.sprint_entry(2, "future")]
    given_events(tables, build.sprint(1, "closed"), build.sprint(2, "active"), build.issue("1", sprints=entries))
    assert only(rows(tables, "issue"))["sprint_id"] == "2"


def test_a_sprint_that_ends_moves_its_issues_without_any_event_of_theirs(tables: Connection) -> None:
    entries = [build.sprint_entry(1, "active"), build.sprint_entry(2, "future")]
    events = build.recorded(
        [
            build.issue("1", sprints=entries),
            build.issue("2", sprints=entries[:1]),
            build.sprint(1, "active"),
            build.sprint(1, "closed"),
        ]
    )
    apply(tables, events[:3])
    assert [row["sprint_id"] for row in rows(tables, "issue")] == ["1", "1"]
    apply(tables, events[3:])
    assert [row["sprint_id"] for row in rows(tables, "issue")] == ["2", "1"]


def test_the_memberships_of_an_issue_are_those_of_its_newest_version(tables: Connection) -> None:
    first = [build.sprint_entry(1, "closed"), build.sprint_entry(2, "active")]
    events = build.recorded([build.issue("1", sprints=first), build.issue("1", sprints=first[1:])])
    apply(tables, events[:1])
    apply(tables, events[1:])
    apply(tables, events[:1])
    assert [(row["sprint_id"], row["place"]) for row in rows(tables, "issue_sprint")] == [("2", 0)]


def test_the_text_form_of_servers_names_sprints_too() -> None:
    entry = (
        "com.atlassian.greenhopper.service.sprint.Sprint@a88a698[goal=a, id=7 b,id=42,rapidViewId=1,state=CLOSED,"
        "name=Sprint, id=9,startDate=<null>,sequence=1]"
    )
    assert [tuple(member) for member in memberships(["nonsense", entry])] == [("42", "closed")]


def test_an_issue_that_goes_takes_everything_along(tables: Connection) -> None:
    entries = [build.sprint_entry(1, "active")]
    given_events(tables, build.issue("1", sprints=entries), build.comment(), build.worklog(), build.issue_gone())
    for table in ("issue", "issue_sprint", "comment", "worklog"):
        assert rows(tables, table) == []


def test_an_issue_that_returns_has_its_comments_and_worklogs_again(tables: Connection) -> None:
    history = build.recorded(
        [
            build.issue("1"),
            build.comment("c1"),
            build.worklog("w1"),
            build.comment("c2"),
            build.issue_gone(reason=AbsenceReason.UNTRACKED),
            build.comment("c1", words="edited meanwhile"),
            build.comment_gone("c2"),
            build.issue("1"),
        ]
    )
    for event in history:
        apply(tables, [event])
    assert [row["body"] for row in rows(tables, "comment")] == ["edited meanwhile"]
    assert [row["worklog_id"] for row in rows(tables, "worklog")] == ["w1"]
    assert rows(tables, "hidden_comment") == rows(tables, "hidden_worklog") == []


def test_an_absence_is_final_for_older_versions(tables: Connection) -> None:
    there, gone, back = build.recorded([build.comment(), build.comment_gone(), build.comment(words="again")])
    apply(tables, [gone])
    apply(tables, [there])
    assert rows(tables, "comment") == []
    apply(tables, [back])
    apply(tables, [gone])
    assert only(rows(tables, "comment"))["body"] == "again"
    assert rows(tables, "gone") == []


def history() -> list[Event]:
    """A life of a few entities, with everything that can happen to them."""
    entries = [build.sprint_entry(1, "active"), build.sprint_entry(2, "future")]
    return [
        build.registered(),
        build.started(),
        build.user("u1"),
        build.issue("1", sprints=entries),
        build.issue("2", sprints=entries[:1]),
        build.sprint(1, "active"),
        build.sprint(2, "future"),
        build.comment("c1", "1"),
        build.comment("c2", "2"),
        build.worklog("w1", "1"),
        build.page(),
        build.succeeded(),
        build.issue("1", sprints=entries[1:], summary="changed"),
        build.issue_gone("2"),
        build.sprint(1, "closed"),
        build.comment("c1", "1", "edited"),
        build.comment("c3", "2"),
        build.worklog_gone("w1", "1"),
        build.sprint(2, "active"),
        build.tracked("u1"),
        build.paused(),
        build.issue("2", sprints=entries[1:]),
        build.worklog("w2", "2"),
        build.issue_gone("1", AbsenceReason.DELETED),
        build.started("run-2"),
        build.failed("run-2"),
        build.user("u1", "Ada King"),
        build.project(),
        build.resumed(),
        build.tracked("u2"),
        build.unregistered(),
        build.cancelled("run-3"),
        build.registered("0 * * * *"),
        build.schedule_changed("0 3 * * *"),
        build.requested(),
        build.started("run-4"),
        build.page("run-4", warnings=["Comments of DEMO-4 are incomplete."]),
        build.started("run-5"),
        build.issue("2", sprints=entries),
    ]


def shuffled_by_stream(events: list[Recorded], seed: int) -> list[Recorded]:
    """Any interleaving that keeps each stream's order; positions stay those of the log."""
    streams: dict[Any, list[Recorded]] = {}
    for event in events:
        streams.setdefault(event.event.stream_id, []).append(event)
    order = [event.event.stream_id for event in events]
    random.Random(seed).shuffle(order)
    return [streams[stream].pop(0) for stream in order]


@settings(deadline=None)  # each example writes to a database
@given(st.integers(0, 2**32), st.integers(1, 10))
def test_any_interleaving_in_any_batches_applied_twice_gives_the_same_tables(seed: int, size: int) -> None:
    events = build.recorded(history())
    with empty_tables() as expected, empty_tables() as actual:
        apply(expected, events)
        mixed = shuffled_by_stream(events, seed)
        for start in range(0, len(mixed), size):
            for _ in range(2):
                apply(actual, mixed[start : start + size])
        assert dump(actual) == dump(expected)


MOVES = st.one_of(
    st.builds(build.issue, st.sampled_from("12")),
    st.builds(build.issue_gone, st.sampled_from("12")),
    st.builds(build.comment, st.sampled_from(["c1", "c2"]), st.sampled_from("12")),
    st.builds(build.comment_gone, st.sampled_from(["c1", "c2"])),
    st.builds(build.worklog, st.just("w1"), st.sampled_from("12")),
    st.builds(build.worklog_gone, st.just("w1")),
)
"""Comments and worklogs go from issue to issue, of which each may be gone."""


@settings(deadline=None)
@given(st.lists(MOVES, min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_what_moves_between_issues_that_come_and_go_ends_the_same_in_any_batches(
    moves: list[Event], chance: random.Random
) -> None:
    events = build.recorded(moves)
    mixed = shuffled_by_stream(events, chance.randrange(2**32))
    with empty_tables() as expected, empty_tables() as actual:
        apply(expected, events)
        while mixed:
            size = chance.randint(1, len(mixed))
            for _ in range(chance.randint(1, 2)):
                apply(actual, mixed[:size])
            del mixed[:size]
        assert dump(actual) == dump(expected)


def test_an_unreadable_payload_parks_its_stream_and_no_other(tables: Connection) -> None:
    events = [build.worklog("w1"), build.worklog("w1", seconds="an hour"), build.worklog("w1"), build.worklog("w2")]
    given_events(tables, *events)
    assert [(row["worklog_id"], row["version"]) for row in rows(tables, "worklog")] == [("w1", 1), ("w2", 1)]
    first, second = rows(tables, "dead_letter")
    assert (first["position"], second["position"]) == (2, 3)
    assert "timeSpentSeconds" in first["error"]
    assert "waits behind" in second["error"]


def test_a_payload_that_is_no_json_is_parked(tables: Connection) -> None:
    broken = msgspec.structs.replace(build.comment(), payload=msgspec.Raw(b'{"author": '))
    given_events(tables, broken, build.comment("c2"))
    assert [row["comment_id"] for row in rows(tables, "comment")] == ["c2"]
    assert only(rows(tables, "dead_letter"))["topic"] == "JiraCommentFetched.v1"
