"""When a schedule that runs at an interval comes. Pure.

Temporal counts intervals from the Unix epoch, in whole seconds; an offset moves the whole row of times. So a row that
is to begin at an anchor has the anchor's remainder as its offset.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class Interval(NamedTuple):
    """Of runs that come n times so many seconds after a moment, n = 1, 2, 3 and so on."""

    seconds: int
    anchor: datetime


def pace(backoff: Interval | None, stretch: Interval | None) -> Interval | None:
    """At what interval a schedule runs; None: by its cron.

    A backoff goes first, whatever it is: a failing project is tried as telemetry says, not as seldom as one whose
    webhooks work. When it ends, the stretch holds again, if it still does.
    """
    return backoff or stretch


def offset_of(anchor: datetime, seconds: int) -> int:
    """Seconds by which Temporal must move its row of times, so that one of them is the anchor."""
    return (anchor - _EPOCH) // _SECOND % seconds


def next_time(anchor: datetime, seconds: int, moment: datetime) -> datetime:
    """The first time (UTC) at or after a moment, jitter aside; the row begins one interval after the anchor."""
    start, interval = _EPOCH + (anchor - _EPOCH) // _SECOND * _SECOND, timedelta(seconds=seconds)
    rounded_up = -((start - moment) // interval)
    return start + max(1, rounded_up) * interval
