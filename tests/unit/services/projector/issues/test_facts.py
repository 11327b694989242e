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
from structlog.testing import capture_logs

from libs.events import AbsenceReason, Event, Recorded, UnreadableEvent
from services.projector.issues.sprint_field import memberships, sprint_entries
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
        "version": 1,
    }


@pytest.mark.parametrize("field", [None, "", "\0", 'a"b', "a\\b", "customfield 1"])
def test_an_issue_of_a_site_without_a_sprint_field_becomes_a_row(tables: Connection, field: str | None) -> None:
    given_events(tables, msgspec.structs.replace(build.issue("7"), sprint_field=field))
    assert (only(rows(tables, "issue"))["summary"], rows(tables, "dead_letter")) == ("Issue 7", [])


def test_what_jira_leaves_out_has_a_default(tables: Connection) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
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


@pytest.mark.parametrize(
    "author", [{}, {"accountId": None}, {"accountId": "unknown", "displayName": "Former user"}, {"displayName": " "}]
)
def test_an_author_without_account_and_name_is_a_former_user(tables: Connection, author: Any) -> None:
    given_events(tables, build.comment(author=author))
    assert only(rows(tables, "comment"))["author_id"] == "unknown"
    user = only(rows(tables, "jira_user"))
    assert (user["account_id"], user["display_name"], user["active"]) == ("unknown", "Former user", False)


def test_a_comment_without_author_is_anonymous(tables: Connection) -> None:
    given_events(tables, build.comment(author=None), build.worklog(author=None))
    assert only(rows(tables, "comment"))["author_id"] == "anonymous"
    assert only(rows(tables, "worklog"))["author_id"] == "anonymous"
    user = only(rows(tables, "jira_user"))
    assert (user["account_id"], user["display_name"], user["active"]) == ("anonymous", "Anonymous", True)


SERVERS = {"name": "njones", "key": "JIRAUSER10100", "displayName": "Nora Jones", "active": True}


@pytest.mark.parametrize(
    ("person", "account", "shown", "active"),
    [
        (SERVERS, "name:njones", "Nora Jones", True),
        (SERVERS | {"accountId": None, "active": False}, "name:njones", "Nora Jones", False),
        ({"key": "jdoe", "active": None}, "name:jdoe", "jdoe", True),
        ({"displayName": "Olaf Slo"}, "name:Olaf Slo", "Olaf Slo", True),
        ({"accountId": "unknown", "displayName": "Olaf\0 Slo"}, "name:Olaf Slo", "Olaf Slo", True),
        ("oslo", "name:oslo", "oslo", True),
    ],
)
def test_who_has_no_account_goes_by_the_name(
    tables: Connection, person: Any, account: str, shown: str, active: bool
) -> None:
    given_events(tables, build.issue("1", assignee=person, reporter=None), build.comment(author=person))
    assert only(rows(tables, "issue"))["assignee_id"] == only(rows(tables, "comment"))["author_id"] == account
    user = only(rows(tables, "jira_user"))
    assert (user["account_id"], user["display_name"], user["active"]) == (account, shown, active)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([SERVERS, {"name": "njones"}, SERVERS | {"displayName": "Nora King"}]), min_size=1),
    st.integers(1, 4),
)
def test_the_newest_name_of_who_has_no_account_counts_in_any_batches(people: list[Any], size: int) -> None:
    events = build.recorded([build.comment(f"c{number}", author=person) for number, person in enumerate(people)])
    shown = [person["displayName"] for person in people if "displayName" in person]
    with empty_tables() as tables:
        for start in range(0, len(events), size):
            for _ in range(2):
                apply(tables, events[start : start + size])
        assert only(rows(tables, "jira_user"))["display_name"] == (shown[-1] if shown else "njones")


def test_a_user_becomes_a_row_with_the_largest_picture(tables: Connection) -> None:
    given_events(tables, build.user("u1", "Ada Lovelace"))
    user = only(rows(tables, "jira_user"))
    assert (user["display_name"], user["active"], user["avatar_url"]) == ("Ada Lovelace", True, "https://a/48")


def test_whoever_is_named_has_a_row_which_the_fetched_user_replaces(tables: Connection) -> None:
    given_events(tables, build.comment())
    assert only(rows(tables, "jira_user"))["display_name"] == "Unknown user"
    given_events(tables, build.user("u1", "Ada"))
    assert only(rows(tables, "jira_user"))["display_name"] == "Ada"


def test_whoever_is_never_fetched_goes_by_the_name_in_the_last_record(tables: Connection) -> None:
    ann = {"accountId": "a", "displayName": "Ann"}
    events = build.recorded(
        [
            build.comment("c1", author={"accountId": "a"}),
            build.comment("c2", author=ann),
            build.comment("c3", author=ann | {"displayName": "Ann King", "active": False}),
            build.comment("c4", author={"accountId": "a", "displayName": " "}),
            build.user("a", "Ann Lovelace"),
            build.comment("c5", author=ann),
        ]
    )
    seen = []
    for event in events:
        apply(tables, [event])
        row = only(rows(tables, "jira_user"))
        seen.append((row["display_name"], row["active"], row["version"]))
    known = [("Unknown user", False, 0), ("Ann", True, 0), ("Ann King", False, 0), ("Ann King", False, 0)]
    assert seen == [*known, ("Ann Lovelace", True, 1), ("Ann Lovelace", True, 1)]
    with empty_tables() as other:
        apply(other, events)
        assert dump(other)["jira_user"] == dump(tables)["jira_user"]


def test_a_user_of_whom_jira_does_not_say_whether_he_is_active_is(tables: Connection) -> None:
    given_events(tables, build.user("u1", active=None), build.user("u2", active=False))
    assert [row["active"] for row in rows(tables, "jira_user")] == [True, False]


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


def test_a_sprint_belongs_to_who_has_fetched_it_and_to_every_project_that_lists_it(tables: Connection) -> None:
    events = [build.sprint(5, "active"), build.sprint_listed(5, "DEMO"), build.sprint_listed(5, "SHRB")]
    for event in build.recorded([*events, build.sprint(5, "closed")]):
        apply(tables, [event])
    assert [row["project_key"] for row in rows(tables, "sprint_project")] == ["DEMO", "SHRB"]


ENTRIES = [(1, "closed"), (2, "closed"), (3, "future"), (4, "future"), (5, "active")]


@pytest.mark.parametrize("epoch", [1767323045678, 1767323045.678, "1767323045678"])
def test_numbers_since_1970_are_times(tables: Connection, epoch: float | str) -> None:
    given_events(
        tables,
        build.issue("1", created=epoch, updated=epoch, sprints=[{"id": 8, "name": "Eight", "endDate": epoch}]),
        build.comment(created=epoch, updated=epoch),
        build.worklog(started=epoch, created=epoch),
        build.sprint(5, "active", startDate=epoch, endDate=epoch),
    )
    moment = "2026-01-02T03:04:05.678Z"
    assert [only(rows(tables, "issue"))[name] for name in ("created", "updated")] == [moment] * 2
    assert [only(rows(tables, "comment"))[name] for name in ("created", "updated")] == [moment] * 2
    assert [only(rows(tables, "worklog"))[name] for name in ("started", "created")] == [moment] * 2
    assert [row["end_date"] for row in rows(tables, "sprint")] == [moment] * 2


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, None), (1, "1"), (2, "2"), (3, "3"), (4, "3"), (5, "5")],
    ids=["none", "closed", "last closed", "future", "first future", "active"],
)
def test_the_current_sprint_is_active_else_future_else_last_closed(count: int, expected: str | None) -> None:
    entries = memberships(sprint_entries([build.sprint_entry(*entry) for entry in ENTRIES[:count]]))
    assert current_sprint(entries, {}) == expected


def test_of_several_sprint_fields_all_are_read(tables: Connection) -> None:
    event = build.issue("1", sprints=[build.sprint_entry(1, "closed")], customfield_9=[build.sprint_entry(2, "active")])
    two = msgspec.structs.replace(event, sprint_field=f"customfield_9,{build.SPRINT_FIELD}")
    for read, current, members in ((event, "1", ["1"]), (two, "2", ["1", "2"])):
        apply(tables, build.recorded([read]) if read is event else build.recorded([event, two])[1:])
        assert only(rows(tables, "issue"))["sprint_id"] == current
        assert [row["sprint_id"] for row in rows(tables, "issue_sprint")] == members


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


SERVER = "com.atlassian.greenhopper.service.sprint.Sprint@a88a698"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[id=42,rapidViewId=1,state=CLOSED,name=Sprint 4, north,goal=a,id=7,state=ACTIVE, b],startDate=<null>,"
            "endDate=2026-01-19T09:00:00.000-08:00,sequence=1]",
            {"id": "42", "boardId": "1", "state": "CLOSED", "name": "Sprint 4, north", "sequence": "1"}
            | {"goal": "a,id=7,state=ACTIVE, b]", "endDate": "2026-01-19T09:00:00.000-08:00"},
        ),
        (
            "[id=1,rapidViewId=<null>,state=FUTURE,name=a,id=2,goal=<null>,sequence=1,goal=x,name=y,]",
            {"id": "1", "state": "FUTURE", "name": "a,id=2", "sequence": "1,goal=x,name=y,"},
        ),
        (
            "[rapidViewId=1,state=ACTIVE,name=x,id=3,startDate=<null>,endDate=<null>,completeDate=<null>,id=9]",
            {"id": "9", "boardId": "1", "state": "ACTIVE", "name": "x,id=3"},
        ),
        (
            "[goal=a,id=7,b,id=42,rapidViewId=1,state=CLOSED,name=N,autoStartStop=false,synced=false]",
            {"id": "42", "boardId": "1", "state": "CLOSED", "name": "N", "goal": "a,id=7,b"}
            | {"autoStartStop": "false", "synced": "false"},
        ),
    ],
)
def test_servers_text_is_read_whatever_stands_in_names_and_goals(text: str, expected: dict[str, str]) -> None:
    assert sprint_entries([SERVER + text]) == {expected["id"]: expected}


@pytest.mark.parametrize(
    "value", [None, [None], "nonsense", ["[name=x]"], [{"id": "9", "value": "High"}], {"value": "x"}, [{"id": True}], 3]
)
def test_what_is_no_sprint_is_passed_over(value: Any) -> None:
    assert sprint_entries(value) == {}


def test_a_sprint_that_only_issues_name_is_shown_as_they_show_it(tables: Connection) -> None:
    entry = f"{SERVER}[id=52,rapidViewId=7,state=FUTURE,name=Iteration 4, north,startDate=<null>,goal=Ship, all,]"
    events = build.recorded([build.issue("1", sprints=[entry]), build.sprint(52, "active", name="Iteration 5")])
    apply(tables, events[:1])
    row = only(rows(tables, "sprint"))
    assert (row["name"], row["state"], row["goal"]) == ("Iteration 4, north", "future", "Ship, all,")
    assert (row["sprint_id"], row["board_id"], row["version"]) == ("52", "7", 0)
    assert only(rows(tables, "issue"))["sprint_id"] == "52"
    for batch in (events, events[:1]):
        apply(tables, batch)
        row = only(rows(tables, "sprint"))
        assert (row["name"], row["state"], row["version"]) == ("Iteration 5", "active", 1)


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


@pytest.mark.parametrize("one_by_one", [True, False])
def test_an_absence_in_doubt_is_settled(tables: Connection, one_by_one: bool) -> None:
    doubted = build.issue_gone(reason=AbsenceReason.HIDDEN, doubtful=True, former_key="DEMO-1")
    known = build.issue_gone(reason=AbsenceReason.DELETED, former_key="DEMO-1")
    events = build.recorded([build.issue("1"), doubted, known])
    for part in [[one] for one in events] if one_by_one else [events]:
        apply(tables, part)
    gone = only(rows(tables, "gone"))
    assert (gone["reason"], gone["doubtful"], gone["former_key"]) == ("DELETED", False, "DEMO-1")
    assert rows(tables, "issue") == []


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
        build.sprint_listed(2),
        build.sprint_listed(2, "OTHER"),
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


@settings(deadline=None, max_examples=40)  # each example writes to a database
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
    with empty_tables() as expected:
        apply(expected, events := build.recorded(moves))
        ends_the_same_in_any_batches(events, expected, chance)


def ends_the_same_in_any_batches(events: list[Recorded], expected: Connection, chance: random.Random) -> None:
    """Mixed as far as their streams allow, in batches of any size, some applied twice."""
    mixed = shuffled_by_stream(events, chance.randrange(2**32))
    with empty_tables() as actual:
        while mixed:
            size = chance.randint(1, len(mixed))
            for _ in range(chance.randint(1, 2)):
                apply(actual, mixed[:size])
            del mixed[:size]
        assert dump(actual) == dump(expected)


ODD = msgspec.Raw(b'"no object"')
"""A payload that no handler can read."""


def odd(event: Any) -> Any:
    return msgspec.structs.replace(event, payload=ODD)


def unreadable(recorded: Recorded) -> Recorded:
    """The event as a program that does not know its type reads it."""
    envelope = {name: getattr(recorded.event, name) for name in Event.__struct_fields__}
    return recorded._replace(event=UnreadableEvent(**envelope, topic=recorded.topic, why="of a newer program"))


def test_an_unreadable_payload_is_parked_until_its_stream_has_a_readable_one(tables: Connection) -> None:
    events = [build.worklog("w1"), odd(build.worklog("w1")), odd(build.worklog("w1")), build.worklog("w2")]
    given_events(tables, *events)
    assert [(row["worklog_id"], row["version"]) for row in rows(tables, "worklog")] == [("w1", 1), ("w2", 1)]
    parked = rows(tables, "dead_letter")
    assert [row["position"] for row in parked] == [2, 3]
    assert all("Expected `object`" in row["error"] for row in parked)
    apply(tables, build.recorded([*events, build.worklog("w1", seconds=60)])[4:])
    assert [(row["time_spent_seconds"], row["version"]) for row in rows(tables, "worklog")] == [(60, 4), (3600, 1)]
    assert rows(tables, "dead_letter") == []


@pytest.mark.parametrize(
    ("event", "table"),
    [
        (build.issue("1"), "issue"),
        (build.comment(), "comment"),
        (build.worklog(), "worklog"),
        (build.sprint(1, "active"), "sprint"),
        (build.user("u9"), "jira_user"),
        (build.project(), "project"),
    ],
)
def test_a_whole_fact_replaces_what_is_parked_of_its_stream(tables: Connection, event: Event, table: str) -> None:
    first, second = build.recorded([event, event])
    apply(tables, [unreadable(first)])
    assert (rows(tables, table), len(rows(tables, "dead_letter"))) == ([], 1)
    apply(tables, [second])
    assert (only(rows(tables, table))["version"], rows(tables, "dead_letter")) == (2, [])


def test_an_absence_replaces_what_is_parked_too(tables: Connection) -> None:
    given_events(tables, build.comment(), odd(build.comment()), build.comment_gone())
    assert rows(tables, "comment") == rows(tables, "dead_letter") == []


def test_what_builds_on_a_parked_event_waits(tables: Connection) -> None:
    first, second = build.recorded([build.paused(), build.resumed()])
    apply(tables, [unreadable(first)])
    apply(tables, [second])
    assert [row["position"] for row in rows(tables, "dead_letter")] == [1, 2]
    assert "waits behind" in rows(tables, "dead_letter")[1]["error"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "In Progress", "priority": "High"}, {"status": "In Progress", "priority": "High"}),
        ({"status": 3, "priority": ["High"]}, {"status": "Unknown", "priority": None}),
        ({"status": {"name": None, "statusCategory": "done"}}, {"status": "Unknown", "status_category": None}),
        ({"status": {"name": "Done", "statusCategory": {"key": 4}}}, {"status": "Done", "status_category": "4"}),
        ({"issuetype": 7, "assignee": [], "reporter": 3.5}, {"issue_type": None, "assignee_id": None}),
        ({"issuetype": {"name": 7}, "reporter": {"accountId": 12}}, {"issue_type": "7", "reporter_id": "12"}),
        ({"summary": 10**40, "created": 1767225600000}, {"summary": str(10**40)}),
        ({"summary": True, "updated": {"at": 1}}, {"summary": "", "updated": "2026-01-02T03:04:05.678Z"}),
    ],
)
def test_an_odd_field_costs_an_issue_nothing_but_that_field(
    tables: Connection, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    given_events(tables, build.issue("1"), build.issue("1", **fields))
    plain = {"summary": "Issue 1", "description": "What is to be done"} | expected
    row = only(rows(tables, "issue"))
    assert {name: row[name] for name in plain} == plain
    assert (row["version"], rows(tables, "dead_letter")) == (2, [])


def test_what_was_left_out_is_told_once(tables: Connection) -> None:
    event = build.issue("1", priority=[], issuetype={"name": ["x"]}, status="Done")
    with capture_logs() as logs:
        given_events(tables, event)
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("fields left out", "warning")
    assert line["stream"] == str(event.stream_id)
    assert line["fields"] == ["fields.priority", "fields.issuetype.name"]


def test_a_document_nested_out_of_measure_beside_an_odd_field_parks_nothing(tables: Connection) -> None:
    deep: dict[str, Any] = {"type": "paragraph", "content": [{"type": "text", "text": "x"}]}
    for _ in range(200):
        deep = {"type": "blockquote", "content": [deep]}
    odd = msgspec.json.encode({"id": "1", "author": "Ada", "body": {"type": "doc", "version": 1, "content": [deep]}})
    given_events(tables, build.issue("7"), msgspec.structs.replace(build.comment("1", "7"), payload=msgspec.Raw(odd)))
    assert rows(tables, "dead_letter") == []
    shown = only(rows(tables, "comment"))
    assert (shown["author_id"], shown["body"].rstrip().endswith("x")) == ("name:Ada", True)


def test_half_a_character_is_shown_as_unknown(tables: Connection) -> None:
    event = build.issue("1", summary="HALF")
    payload = msgspec.Raw(bytes(event.payload).replace(b"HALF", b"x\\ud83d y"))
    given_events(tables, msgspec.structs.replace(event, payload=payload))
    assert only(rows(tables, "issue"))["summary"] == "x\ufffd y"


LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("seconds", "stored"),
    [("60", 60), (60.9, 60), ("1h", 0), (None, 0), (True, 0), ([], 0), (10**30, LARGEST), (-(10**30), -LARGEST)],
)
def test_seconds_of_any_type_are_a_number(tables: Connection, seconds: Any, stored: int) -> None:
    given_events(tables, build.worklog(seconds=seconds))
    assert only(rows(tables, "worklog"))["time_spent_seconds"] == stored


@pytest.mark.parametrize(("number", "stored"), [(b"1e999", LARGEST), (b"1" + b"0" * 5000, LARGEST), (b"6e1", 60)])
def test_numbers_of_any_size_are_stored(tables: Connection, number: bytes, stored: int) -> None:
    event = build.worklog(seconds=4711)
    payload = msgspec.Raw(bytes(event.payload).replace(b"4711", number))
    given_events(tables, msgspec.structs.replace(event, payload=payload))
    assert only(rows(tables, "worklog"))["time_spent_seconds"] == stored


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"active": None}, {"active": True, "avatar_url": "https://a/48"}),
        ({"active": "false", "displayName": 7}, {"active": False, "display_name": "7"}),
        ({"avatarUrls": "https://a"}, {"display_name": "Ada", "avatar_url": None}),
        ({"avatarUrls": {"48x48": 4, "16x16": "https://a/16"}}, {"avatar_url": "https://a/16"}),
        ({"accountType": {}, "displayName": None}, {"account_type": "unknown", "display_name": "u1"}),
    ],
)
def test_an_odd_field_costs_a_user_nothing_but_that_field(
    tables: Connection, parts: dict[str, Any], expected: dict[str, Any]
) -> None:
    given_events(tables, build.user("u1", **parts))
    row = only(rows(tables, "jira_user"))
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"boardId": 3.0}, {"board_id": "3"}),
        ({"boardId": {}, "name": None}, {"board_id": None, "name": "Sprint 1"}),
        ({"originBoardId": "9", "goal": 4}, {"board_id": "9", "goal": "4"}),
        ({"goal": [], "endDate": "51502-06-08T14:46:42.000Z"}, {"goal": None, "end_date": None}),
    ],
)
def test_an_odd_field_costs_a_sprint_nothing_but_that_field(
    tables: Connection, parts: dict[str, Any], expected: dict[str, Any]
) -> None:
    given_events(tables, build.sprint(1, "active", **parts))
    row = only(rows(tables, "sprint"))
    assert {name: row[name] for name in expected} == expected
    assert row["start_date"] == "2026-01-02T03:04:05.678Z"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["summary", "description", "status", "priority", "issuetype", "assignee", "reporter", "created", build.SPRINT_FIELD]
)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(FIELDS, ANYTHING), ANYTHING, ANYTHING)
def test_nothing_in_a_field_parks_anything(fields: dict[str, Any], author: Any, seconds: Any) -> None:
    with empty_tables() as tables:
        given_events(tables, build.issue("1", **fields), build.worklog(author=author, seconds=seconds))
        assert rows(tables, "dead_letter") == []
        assert len(rows(tables, "issue")) == len(rows(tables, "worklog")) == 1


FACTS = st.sampled_from(
    [
        build.issue("1"),
        odd(build.issue("1")),
        build.issue_gone("1"),
        build.comment("c1"),
        odd(build.comment("c1")),
        build.comment_gone("c1"),
        build.sprint(1, "active"),
        odd(build.sprint(1, "active")),
        build.user("u1"),
        odd(build.user("u1")),
    ]
)


@settings(deadline=None, max_examples=40)
@given(st.lists(FACTS, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_odd_facts_that_heal_give_the_same_tables_in_any_batches(facts: list[Event], chance: random.Random) -> None:
    events = build.recorded(facts)
    with empty_tables() as expected:
        apply(expected, events)
        ends_the_same_in_any_batches(events, expected, chance)
        last = {recorded.event.stream_id: recorded.event for recorded in events}
        parked = {row["stream_id"] for row in rows(expected, "dead_letter")}
        assert parked == {str(stream) for stream, event in last.items() if getattr(event, "payload", None) is ODD}


def test_a_payload_that_is_no_json_is_parked(tables: Connection) -> None:
    broken = msgspec.structs.replace(build.comment(), payload=msgspec.Raw(b'{"author": '))
    given_events(tables, broken, build.comment("c2"))
    assert [row["comment_id"] for row in rows(tables, "comment")] == ["c2"]
    assert only(rows(tables, "dead_letter"))["topic"] == "JiraCommentFetched.v1"
