"""What happens to a schedule on the days when the clocks of its zone change. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from libs.temporal.calendar_times import Calendar, next_time

_YEAR, _DAY, _MINUTE = timedelta(days=366), timedelta(days=1), timedelta(minutes=1)
_NAMED: Final = 3
"""So many runs are listed by their times; of more only the first and the last."""


def what_clock_changes_do(calendar: Calendar, zone: ZoneInfo, after: datetime) -> list[str]:
    """A sentence for each change in the year from `after` on that adds or takes away runs.

    None for a schedule that comes every hour: a day of 23 or 25 hours is what everybody expects of it.
    """
    if len(calendar.hours) == 24:
        return []
    sentences = (_sentence(calendar, zone, change) for change in _changes(zone, after))
    return [sentence for sentence in sentences if sentence]


def _sentence(calendar: Calendar, zone: ZoneInfo, change: datetime) -> str | None:
    start, end = change - _DAY, change + _DAY
    happen = Counter(time.astimezone(zone).replace(tzinfo=None) for time in _times(calendar, zone, start, end))
    first, last = (moment.astimezone(zone).replace(tzinfo=UTC) for moment in (start, end))
    # In a zone without changes the clock shows what the expression says.
    expected = Counter(time.replace(tzinfo=None) for time in _times(calendar, ZoneInfo("UTC"), first, last))
    lost, more = sorted((expected - happen).elements()), sorted((happen - expected).elements())
    parts = [f"no run at {_clock(lost)}"] * bool(lost) + [f"one more run at {_clock(more)}"] * bool(more)
    day = change.astimezone(zone)
    return f"On {day.day} {day:%B %Y} clocks in {zone.key} change: {', '.join(parts)}." if parts else None


def _times(calendar: Calendar, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    time = next_time(calendar, zone, start)
    while time is not None and time <= end:
        yield time
        time = next_time(calendar, zone, time)


def _clock(times: list[datetime]) -> str:
    shown = [f"{time:%H:%M}" for time in times]
    return ", ".join(shown) if len(shown) <= _NAMED else f"{shown[0]} and {len(shown) - 1} more until {shown[-1]}"


def _changes(zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The moments of the next year at which the zone's offset from UTC changes, to the minute."""
    day, end = after.replace(second=0, microsecond=0), after + _YEAR
    while day < end:
        following = day + _DAY
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            yield _change(zone, day, following)
        day = following


def _change(zone: ZoneInfo, before: datetime, behind: datetime) -> datetime:
    old = before.astimezone(zone).utcoffset()
    while behind - before > _MINUTE:
        middle = before + (behind - before) // (2 * _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            behind = middle
    return behind
