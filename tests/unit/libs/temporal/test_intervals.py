"""Intervals as Temporal counts them: whole seconds from the epoch, moved by an offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.temporal.intervals import next_time, offset_of

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones
SECONDS = st.integers(1, 7 * 86_400)


@given(MOMENTS, SECONDS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_the_next_time_is_the_one_that_temporal_finds(anchor: datetime, seconds: int, later: timedelta) -> None:
    moment = anchor + later
    found = next_time(anchor, seconds, moment)
    assert moment <= found or found == anchor.replace(microsecond=0) + timedelta(seconds=seconds)
    assert found - max(moment, anchor) <= timedelta(seconds=seconds)
    # As the server's `nextIntervalTime` has it: the times whose remainder is the offset.
    assert found.timestamp() % seconds == offset_of(anchor, seconds)


@given(MOMENTS, SECONDS)
def test_the_first_wait_is_a_whole_step(anchor: datetime, seconds: int) -> None:
    first = next_time(anchor, seconds, anchor)
    assert timedelta(seconds=seconds - 1) < first - anchor <= timedelta(seconds=seconds)
    assert next_time(anchor, seconds, first) == first
    assert next_time(anchor, seconds, first + timedelta(microseconds=1)) == first + timedelta(seconds=seconds)
