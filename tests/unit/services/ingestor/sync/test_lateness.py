"""How late changes were served, and how far watermarks stay behind for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import Head
from services.ingestor.sync.lateness import (
    BUCKETS,
    LEAST,
    MOST,
    Lateness,
    late_changes,
    lateness,
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
