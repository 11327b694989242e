"""The fold of a control stream may be taken up where it was left."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import (
    BackoffApplied,
    BackoffCleared,
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    SchedulePaused,
    ScheduleResumed,
    TrackedUsersChanged,
)
from services.ingestor.control.state import ControlState, fold_control
from tests.unit.made.alerts import acknowledged, raised, repeated, resolved
from tests.unit.services.telemetry.course import START, envelope, paused, registered, rescheduled, resumed, unregistered

RAISED = raised("a")
KINDS: list[Event] = [
    registered(),
    unregistered(),
    rescheduled(),
    paused(),
    resumed(),
    RAISED,
    repeated(RAISED, START, 7),
    acknowledged(RAISED, START),
    resolved(RAISED, START),
    TrackedUsersChanged(**envelope("control", START), account_ids=("x",), added=("x",), removed=(), reason=""),
    BackoffCleared(**envelope("control", START), reason="", run_id=None),
    BackoffApplied(**envelope("control", START), level=2, code="c", failures=3, seconds=60, anchor=START, run_id="r"),
]


def numbered(events: Sequence[Event]) -> list[Event]:
    return [msgspec.structs.replace(event, stream_version=version) for version, event in enumerate(events, 1)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(KINDS), max_size=30), st.sets(st.integers(0, 30)))
def test_part_by_part_it_is_what_it_is_as_a_whole(events: list[Event], cuts: set[int]) -> None:
    stream = numbered(events)
    state = ControlState()
    for start, end in pairwise([0, *sorted(cuts), len(stream) + 30]):
        before, as_it_was = state, msgspec.json.encode(state)
        state = fold_control(stream[start:end], before)
        assert msgspec.json.encode(before) == as_it_was
    assert state == fold_control(stream)
    assert state.length == len(stream)


@settings(deadline=None)
@given(st.lists(st.sampled_from(KINDS), max_size=30))
def test_the_last_word_about_the_pause_is_known_by_its_version(events: list[Event]) -> None:
    stream = numbered(events)
    about = (ProjectRegistered, ProjectUnregistered, SchedulePaused, ScheduleResumed)
    expected = max((event.stream_version for event in stream if isinstance(event, about)), default=0)
    state = fold_control(stream)
    assert state.pause_version == expected
    assert state.paused == fold_control(stream[:expected]).paused
