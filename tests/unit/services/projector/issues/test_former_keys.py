"""An issue keeps the keys that it had: whatever comes first, in whatever batches, and across absences."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from libs.events import AbsenceReason, Event, JiraIssueFetched, Recorded
from tests.unit.made import build
from tests.unit.services.projector.applied import after, apply, empty_tables, rows


def former(tables: Connection) -> list[tuple[str, str, int]]:
    """Issue, key, and the version at which it had the key last."""
    return sorted((row["issue_id"], row["key"], row["version"]) for row in rows(tables, "former_key"))


def test_a_move_leaves_the_key_behind_in_one_batch_and_in_two() -> None:
    there, moved = build.recorded([build.issue("1", key="MOVA-1"), build.issue("1", key="MOVB-2")])
    assert former(after(there.event, moved.event)) == [("1", "MOVA-1", 1)]
    with empty_tables() as tables:
        apply(tables, [there])
        assert former(tables) == []
        apply(tables, [moved])
        assert former(tables) == [("1", "MOVA-1", 1)]


def test_an_issue_that_was_seen_to_leave_before_it_was_seen_to_arrive_keeps_its_key() -> None:
    with empty_tables() as tables:
        gone = build.issue_gone("1", AbsenceReason.MOVED)
        for event in build.recorded([build.issue("1", key="MOVA-1"), gone, build.issue("1", key="MOVB-2")]):
            apply(tables, [event])
        assert former(tables) == [("1", "MOVA-1", 1)]


def test_a_key_that_an_issue_has_again_is_not_former() -> None:
    keys = ("MOVA-1", "MOVB-2", "MOVA-1")
    with empty_tables() as tables:
        for event in build.recorded([build.issue("1", key=key) for key in keys]):
            apply(tables, [event])
        assert former(tables) == [("1", "MOVB-2", 2)]


def test_a_key_that_comes_late_is_former() -> None:
    first, second = build.recorded([build.issue("1", key="MOVA-1"), build.issue("1", key="MOVB-2")])
    with empty_tables() as tables:
        apply(tables, [second])
        apply(tables, [first])
        assert former(tables) == [("1", "MOVA-1", 1)]


def test_an_issue_whose_key_stays_writes_nothing() -> None:
    assert former(after(build.issue("1"), build.issue("1", summary="changed"), build.issue("2"))) == []


def naive(events: Sequence[Recorded]) -> list[tuple[str, str, int]]:
    """Every key of an issue but the one of its last event."""
    found: dict[tuple[str, str], int] = {}
    last: dict[str, str] = {}
    for recorded in events:
        event = recorded.event
        if isinstance(event, JiraIssueFetched):
            found[event.issue_id, event.key] = event.stream_version
            last[event.issue_id] = event.key
        else:
            last.pop(event.issue_id, None)  # type: ignore[attr-defined]
    return sorted((*one, version) for one, version in found.items() if last.get(one[0]) != one[1])


LIVES = st.lists(
    st.one_of(
        st.builds(build.issue, st.sampled_from("12"), key=st.sampled_from(["A-1", "B-2", "C-3"])),
        st.builds(build.issue_gone, st.sampled_from("12")),
    ),
    min_size=1,
    max_size=9,
)


@settings(deadline=None)  # each example writes to a database
@given(LIVES, st.randoms(use_true_random=False))
def test_former_keys_are_all_but_the_last_in_any_order_and_any_batches(
    lives: list[Event], chance: random.Random
) -> None:
    events = build.recorded(lives)
    expected = naive(events)
    chance.shuffle(events)
    with empty_tables() as tables:
        while events:
            size = chance.randint(1, len(events))
            for _ in range(chance.randint(1, 2)):
                apply(tables, events[:size])
            del events[:size]
        assert former(tables) == expected
