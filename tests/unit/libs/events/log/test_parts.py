"""What of a user or a sprint decides whether it has changed, and what stays when an answer leaves it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from libs.events import Change, Event
from libs.events.log.judging import what_is_new
from libs.events.log.parts import digest_of, said
from tests.unit.made.changes import THEN, issue, sprint, user

ANNE = {"displayName": "Anne", "active": True, "accountType": "atlassian"}
ENTRY = {"name": "One", "state": "closed", "boardId": 2}
DATES = {"startDate": "2026-01-01T00:00:00.000Z", "completeDate": "2026-01-15T00:00:00.000Z"}
BOARDS = {"name": "One", "state": "closed", "originBoardId": 3, "goal": "Ship", **DATES}


def _user(_asked_at: datetime, **payload: object) -> Change:
    return user(None, **payload)


def _after(last: Event, event: Event) -> dict[str, Any] | None:
    """The payload of the event to append; None for no event."""
    news = what_is_new(event, last)
    return None if news is None else msgspec.json.decode(news.payload)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("made", "known", "seen"),
    [
        (_user, ANNE, {"displayName": "Anne", "active": True}),
        (_user, ANNE, {"displayName": "Anne"}),
        (_user, ANNE, ANNE | {"accountType": None, "active": None}),
        (_user, ANNE | {"active": False}, {"displayName": "Anne"}),
        (_user, ANNE, ANNE | {"emailAddress": "a@b.test", "timeZone": "UTC", "avatarUrls": {}}),
        (sprint, BOARDS, ENTRY),
        (sprint, BOARDS, ENTRY | {"goal": None, "startDate": None, "state": "CLOSED"}),
        (sprint, BOARDS, ENTRY | {"startDate": "2026-01-01T02:00:00.000+02:00"}),
        (sprint, ENTRY, ENTRY | {"goal": "", "endDate": ""}),
        (sprint, BOARDS | {"endDate": "+51502-01-01"}, BOARDS | {"endDate": "+51502-01-01"}),
    ],
)
def test_what_says_less_or_the_same_is_no_event(made: Any, known: dict[str, Any], seen: dict[str, Any]) -> None:
    assert _after(made(THEN, **known).event, made(THEN, **seen).event) is None


@pytest.mark.parametrize(
    ("made", "known", "seen", "kept"),
    [
        (
            _user,
            ANNE | {"avatarUrls": {"a": "b"}},
            {"displayName": "Anna"},
            {"active": True, "accountType": "atlassian"},
        ),
        (_user, ANNE | {"emailAddress": "a@b.test"}, {"displayName": "Anna"}, {"active": True}),
        (_user, {"displayName": "Anne"}, ANNE, {}),
        (sprint, BOARDS, ENTRY | {"name": "Two"}, {"goal": "Ship", "originBoardId": 3, **DATES}),
        (sprint, BOARDS, ENTRY | {"goal": "Stop"}, DATES),
        (sprint, BOARDS, ENTRY | {"goal": ""}, DATES),
        (sprint, BOARDS, ENTRY | {"name": None, "goal": "Stop"}, {"name": "One"}),
        (sprint, ENTRY, BOARDS, {}),
    ],
)
def test_what_is_left_out_of_a_change_stays_as_it_was(
    made: Any, known: dict[str, Any], seen: dict[str, Any], kept: dict[str, Any]
) -> None:
    payload = _after(made(THEN, **known).event, made(THEN, **seen).event)
    assert payload is not None
    assert {key: payload.get(key) for key in kept} == kept
    assert payload.items() >= {key: value for key, value in seen.items() if value is not None}.items()
    assert "emailAddress" not in payload


@pytest.mark.parametrize("said_so", [{"goal": None}, {}])
def test_a_goal_that_the_board_does_not_have_any_more_is_gone(said_so: dict[str, Any]) -> None:
    """Boards show a sprint in full: Jira leaves out of their list what is not set."""
    without = {key: value for key, value in BOARDS.items() if key != "goal"} | said_so
    payload = _after(sprint(THEN, **BOARDS).event, sprint(THEN, **without).event)
    assert payload is not None
    assert payload.get("goal") is None


def test_a_sprint_that_is_opened_again_is_not_complete() -> None:
    payload = _after(sprint(THEN, **BOARDS).event, sprint(THEN, **ENTRY | {"state": "active"}).event)
    assert payload is not None
    assert "completeDate" not in payload
    assert payload["goal"] == "Ship"


def test_silence_has_another_digest_than_the_empty_word() -> None:
    """Else a goal would stay after it was cleared: an entry without it would have told the log the same before."""
    digests = {
        digest_of(said(sprint(THEN, **parts).event) or {})
        for parts in (ENTRY, ENTRY | {"goal": ""}, ENTRY | {"goal": "a"})
    }
    assert len(digests) == 3


def test_only_users_and_sprints_are_taken_by_their_parts() -> None:
    assert said(issue(1).event) is None
    assert said(msgspec.structs.replace(user().event, payload=msgspec.Raw(b"[]"))) is None


def test_a_part_that_no_program_can_hold_is_compared_by_its_bytes() -> None:
    def of(goal: bytes) -> Event:
        return msgspec.structs.replace(sprint(THEN).event, payload=msgspec.Raw(b'{"id":1,"goal":' + goal + b"}"))

    assert what_is_new(of(b"1e999"), of(b"1e999")) is None
    assert what_is_new(of(b"1e999"), of(b'"Ship"')) is not None
