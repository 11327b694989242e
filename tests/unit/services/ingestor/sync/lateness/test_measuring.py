"""How late changes were served, and how far watermarks stay behind for it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import Head
from services.ingestor.sync.lateness.measuring import (
    BUCKETS,
    FADES,
    LEAST,
    MOST,
    Lateness,
    faded,
    late_changes,
    lateness,
    lateness_of,
    may_be_late,
    overlap,
)
from tests.unit.made.changes import THEN, issue, later, user


@pytest.mark.parametrize(
    ("late", "minutes"),
    [
        ([], 5),
        ([3], 5),
        ([299], 5),
        ([301], 10),
        ([840], 15),
        ([1900], 60),
        ([40_000], 60),
        ([10**7], 60),
        ([10] * 5000 + [700] * 2, 5),
        ([10] * 500 + [700] * 2, 15),
    ],
    ids=str,
)
def test_the_overlap_is_what_was_measured_between_five_minutes_and_an_hour(late: list[float], minutes: int) -> None:
    assert overlap(lateness(late)) == timedelta(minutes=minutes)


@given(st.lists(st.floats(0, 10**6), max_size=50), st.lists(st.floats(0, 10**6), max_size=50))
def test_parts_add_up(one: list[float], two: list[float]) -> None:
    whole = lateness(one) + lateness(two)
    assert whole == lateness(one + two)
    assert (whole.number, len(whole.counts)) == (len(one + two), len(BUCKETS))
    assert LEAST <= overlap(whole) <= MOST


def test_one_outlier_among_few_is_forgotten_and_what_comes_every_week_is_not() -> None:
    once = faded(lateness([10] * 40 + [40_000]), THEN)
    assert once.since == THEN
    assert overlap(once) == MOST
    assert overlap(faded(once, THEN + FADES - timedelta(seconds=1))) == MOST
    after = faded(once, THEN + FADES)
    assert (after.number, after.latest, overlap(after), after.since) == (20, 30.0, LEAST, THEN + FADES)
    weekly = once
    for week in range(1, 10):
        weekly = faded(weekly, THEN + week * FADES) + lateness([40_000])
        assert overlap(weekly) == MOST
    gone = faded(weekly, THEN + timedelta(days=10_000))
    assert (gone.number, gone.latest, overlap(gone)) == (0, 0.0, LEAST)


def test_looking_often_forgets_no_more_than_looking_once() -> None:
    measured = faded(lateness([10] * 1000 + [700] * 100), THEN)
    often = measured
    for day in range(60):
        often = faded(often, THEN + timedelta(days=day))
    assert often == faded(measured, THEN + timedelta(days=59))
    assert (often.number, often.latest) == (1000 // 256, 30.0)


def test_what_a_former_version_has_stored_begins_to_fade_now() -> None:
    former = lateness_of(b'{"counts":[0,0,0,0,0,0,0,1,0,0,0,0],"latest":2000.0}')
    assert faded(former, THEN) == msgspec.structs.replace(former, since=THEN)
    assert faded(faded(former, THEN), THEN + FADES).number == 0
    assert faded(faded(former, THEN), THEN - FADES).number == 1  # a clock that went back forgets nothing
    again = msgspec.json.decode(msgspec.json.encode(faded(former, THEN)), type=Lateness)
    assert again == faded(former, THEN)


def test_late_is_what_is_new_and_older_than_the_last_scan() -> None:
    scanned_at = later(600)
    fresh, changed, known, after = (issue(number, updated=later(60 * number)) for number in (1, 2, 3, 11))
    heads = {
        changed.event.stream_id: Head(1, b"d", later(60).isoformat(timespec="microseconds")),
        known.event.stream_id: Head(1, b"d", later(180).isoformat(timespec="microseconds")),
    }
    older = [one for one in (fresh, changed, known, after, user(THEN)) if may_be_late(one, scanned_at)]
    assert older == [fresh, changed, known]
    assert late_changes(older, heads, scanned_at) == lateness([540, 480])


def test_nothing_late_is_nothing() -> None:
    assert lateness([]) == Lateness()
