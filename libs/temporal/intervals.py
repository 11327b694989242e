"""When a schedule that runs at an interval comes. Pure.

Temporal counts intervals from the Unix epoch, in whole seconds; an offset moves the whole row of times. So a row that
is to begin at an anchor has the anchor's remainder as its offset.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def offset_of(anchor: datetime, seconds: int) -> int:
    """Seconds by which Temporal must move its row of times, so that one of them is the anchor."""
    return (anchor - _EPOCH) // _SECOND % seconds


def next_time(anchor: datetime, seconds: int, moment: datetime) -> datetime:
    """The first time (UTC) at or after a moment, jitter aside; the row begins one interval after the anchor."""
    start, interval = _EPOCH + (anchor - _EPOCH) // _SECOND * _SECOND, timedelta(seconds=seconds)
    rounded_up = -((start - moment) // interval)
    return start + max(1, rounded_up) * interval
