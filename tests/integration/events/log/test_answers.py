"""Unchanged is unchanged, what says less overwrites nothing, and the newest answer stands: on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import msgspec

from libs.events import Append, Change, EventStore, Head
from libs.events.log.batches import Batch
from tests.unit.made.changes import THEN, issue, later, sprint, user

ISSUES = 1000

Fields = dict[str, Any]
Kind = Callable[[Fields, int], None]


def _service_level(fields: Fields, turn: int) -> None:
    cycle = fields["customfield_1"]["ongoingCycle"]
    cycle["elapsedTime"] = {"millis": turn, "friendly": f"{turn}m"}
    cycle["remainingTime"] = {"millis": -turn, "friendly": f"-{turn}m"}
    cycle["startTime"]["friendly"] = f"{turn} days ago"


def _addresses(fields: Fields, turn: int) -> None:
    fields["attachment"][0] |= {"content": f"https://{turn}/content", "thumbnail": f"https://{turn}/thumbnail"}
    fields["status"]["self"] = f"https://{turn}/status/1"
    fields["customfield_1"]["_links"] = {"self": f"https://{turn}"}


def _documents(fields: Fields, turn: int) -> None:
    fields["description"]["content"][0]["attrs"]["localId"] = f"{turn}"


def _development(fields: Fields, turn: int) -> None:
    fields["customfield_2"] = f"{{pullrequest={{dataType=pullrequest, stateCount={turn}}}}}" if turn % 3 else "{}"


def _own_account(fields: Fields, turn: int) -> None:
    fields["watches"] = {"watchCount": turn, "isWatching": turn % 2 == 0}
    fields["votes"]["hasVoted"] = turn % 2 == 0
    fields["lastViewed"] = f"{turn}"


def _admin(fields: Fields, turn: int) -> None:
    fields["status"]["statusCategory"]["colorName"] = f"colour {turn}"
    for name in ("status", "priority", "issuetype"):
        fields[name] |= {"description": f"text {turn}", "iconUrl": f"https://{turn}"}


KINDS: tuple[Kind, ...] = (_service_level, _addresses, _documents, _development, _own_account, _admin)


def _fields(number: int) -> Fields:
    return {
        "summary": f"{number}",
        "description": {"type": "doc", "content": [{"type": "paragraph", "attrs": {}, "content": []}]},
        "status": {"id": "1", "name": "Open", "statusCategory": {"id": 1}},
        "priority": {"id": "1", "name": "High"},
        "issuetype": {"id": "1", "name": "Bug"},
        "attachment": [{"id": f"{number}", "filename": "a.png"}],
        "votes": {"votes": 1},
        "customfield_1": {"ongoingCycle": {"startTime": {"epochMillis": 1}, "breached": False}},
        "customfield_3": "0|i0000:",
    }


def _issues(asked: int, seed: int) -> list[Change]:
    """Each with one to all kinds of noise, by the seed."""
    chance = random.Random(seed)
    made = []
    for number in range(ISSUES):
        fields = _fields(number)
        for kind in KINDS:
            kind(fields, 0)
        for kind in chance.sample(KINDS, chance.randint(1, len(KINDS))):
            kind(fields, chance.randint(1, 10**6))
        made.append(issue(number, asked_at=later(asked), fields=fields))
    return made


def test_noise_over_a_thousand_issues_is_no_event(store: EventStore) -> None:
    store.append(Append(changes=_issues(asked=1, seed=0)))
    noisy = Append(changes=_issues(asked=2, seed=1))
    assert store.append(noisy).appended == ()
    with patch.object(EventStore, "_event_at", side_effect=AssertionError("compared again")):
        assert store.append(noisy).appended == ()
    assert store.head() == ISSUES


def test_a_rank_is_a_change_of_its_own_issue_and_of_no_other(store: EventStore) -> None:
    fields = [_fields(number) for number in range(3)]
    store.append(Append(changes=[issue(n, asked_at=later(1), fields=fields[n]) for n in range(3)]))
    fields[1]["customfield_3"] = "0|i0001:"
    appended = store.append(Append(changes=[issue(n, asked_at=later(2), fields=fields[n]) for n in range(3)])).appended
    assert [event.stream_id for event in appended] == [issue(1).event.stream_id]


ANNE = {"displayName": "Anne", "active": True}
ENTRY = {"name": "One", "state": "active", "boardId": 2}
BOARDS = {"name": "One", "state": "active", "originBoardId": 2, "goal": "Ship", "startDate": "2026-01-01T00:00:00.000Z"}


def test_users_and_sprints_seen_now_with_more_and_now_with_less_are_one_event_each(store: EventStore) -> None:
    for turn in range(3):
        asked = 10 * turn
        for change in (
            user(later(asked), **ANNE, accountType="atlassian"),
            sprint(later(asked), **BOARDS),
            user(later(asked + 1), **ANNE),
            sprint(later(asked + 1), **ENTRY),
        ):
            store.append(Append(changes=[change]))
    assert store.head() == 2


def test_a_goal_that_is_cleared_is_cleared_after_an_entry_without_it(store: EventStore) -> None:
    boards_without = {key: value for key, value in BOARDS.items() if key != "goal"}
    turns = (BOARDS, ENTRY, boards_without, ENTRY, BOARDS)
    appended = [
        len(store.append(Append(changes=[sprint(later(turn), **payload)])).appended)
        for turn, payload in enumerate(turns)
    ]
    assert appended == [1, 0, 1, 0, 1]


def test_a_renamed_sprint_keeps_the_goal_that_its_entry_does_not_show(store: EventStore) -> None:
    store.append(Append(changes=[sprint(later(1), **BOARDS)]))
    (event,) = store.append(Append(changes=[sprint(later(2), **ENTRY | {"name": "Two"})])).appended
    payload = msgspec.json.decode(event.payload)  # type: ignore[attr-defined]
    assert (payload["name"], payload["goal"], payload["originBoardId"]) == ("Two", "Ship", 2)


def test_a_date_of_the_future_is_repaired_by_the_next_answer_and_by_no_older_one(store: EventStore) -> None:
    wrong = issue(1, updated=later(10**9), asked_at=later(1), summary="wrong")
    right = issue(1, updated=THEN, asked_at=later(2), summary="right")
    assert [len(store.append(Append(changes=[change])).appended) for change in (wrong, right, wrong, right)] == [
        1,
        1,
        0,
        0,
    ]
    (head,) = store.heads([wrong.event.stream_id]).values()
    assert (head.version, head.digest, head.updated) == (2, right.digest, "2026-01-01T00:00:00.000000+00:00")
    assert head.asked == "2026-01-01T00:00:02.000000+00:00"


def test_a_log_of_the_last_version_goes_on(store: EventStore) -> None:
    """Its heads do not say when Jira was asked, and users have another digest in them: nothing is stored again."""
    known = [issue(1, summary="a", self="x"), user(None, **ANNE), sprint(THEN, **BOARDS)]
    store.append(Append(changes=known))
    updated = "2026-01-01T00:00:00.000000+00:00"
    heads = [(change.event.stream_id, Head(1, change.digest or b"", updated)) for change in known]
    store._recorder.insert_events([], batch=Batch(heads=heads))
    assert store.heads([heads[0][0]])[heads[0][0]].asked == ""
    seen = [issue(1, summary="a", self="x", asked_at=later(1)), user(later(1), **ANNE), sprint(later(1), **BOARDS)]
    assert store.append(Append(changes=seen)).appended == ()
    older = issue(1, updated=later(-1), asked_at=later(2), summary="restored")
    assert len(store.append(Append(changes=[older])).appended) == 1
