"""When a cron expression comes, found the way Temporal finds it. Pure.

Temporal walks the wall clock of the zone and turns what matches into an instant last. On days when clocks change this
shows, and we follow it there, so that a preview promises only what will happen:

- A wall-clock time that is skipped does not come: `30 2 * * *` has no run on a day that leaps from 2 to 3 o'clock.
- An hour that comes twice brings its runs twice. In the Americas that is the right hour; in zones ahead of UTC Temporal
  takes the one before: in Berlin `15 1 * * *` runs at 1:15 and again an hour later, and `15 2 * * *` only once.
- Where clocks leap at midnight, the day may be taken for the weekday before: in Santiago a schedule for Sundays may
  miss one, and one for Saturdays may run on it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

LAST_YEAR = 2100
"""Temporal looks no further."""

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Calendar(NamedTuple):
    """The values that each field may have. A time matches when all of its fields do."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""


def next_time(calendar: Calendar, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first time (UTC) after `after` that matches; None when there is none before the year 2101."""
    local = after.astimezone(zone)
    wall = local.replace(tzinfo=None, second=0, microsecond=0)
    repeated = _wall(after - _HOUR, zone).hour == wall.hour
    wall, repeated = _minute_after(wall, zone, repeated=repeated)
    while wall.year <= LAST_YEAR:
        start = wall
        wall = _on_a_matching_day(calendar, zone, wall)
        if wall.year > LAST_YEAR:
            break
        hour = _first(calendar.hours, wall.hour)
        if hour is None:
            wall, repeated = _day_after(wall), False
            continue
        if hour != wall.hour:
            wall = wall.replace(hour=hour, minute=0)
        repeated = repeated and wall == start
        minute = _first(calendar.minutes, wall.minute)
        if minute is None:
            wall, repeated = _minute_after(wall.replace(minute=59), zone, repeated=repeated)
            continue
        found = _instant(wall.replace(minute=minute), zone)
        if _wall(found, zone).hour == wall.hour:
            return found + _HOUR if repeated else found
        wall = wall.replace(minute=0) + _HOUR  # the zone's clocks leap over this hour
    return None


def _on_a_matching_day(calendar: Calendar, zone: ZoneInfo, wall: datetime) -> datetime:
    """`wall` itself, or the first midnight behind it, on a day that matches."""
    while wall.year <= LAST_YEAR:
        if wall.month not in calendar.months:
            wall = (wall.replace(day=1) + 31 * _DAY).replace(day=1, hour=0, minute=0)
        elif wall.day in calendar.days and _weekday(wall, zone) in calendar.weekdays:
            break
        else:
            wall = _day_after(wall)
    return wall


def _minute_after(wall: datetime, zone: ZoneInfo, *, repeated: bool) -> tuple[datetime, bool]:
    """The next minute of the clock, which goes through an hour once more when two lie between it and the next."""
    if wall.minute < 59:
        return wall + _MINUTE, repeated
    hour = wall.replace(minute=0)
    if not repeated and _instant(hour + _HOUR, zone) - _instant(hour, zone) > _HOUR:
        return hour, True
    return hour + _HOUR, False


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) of a wall-clock time, as Go's `time.Date` picks it where there are two, or none.

    The offset is looked up twice: at the wall-clock time as if it were UTC, and at what that makes of it.
    """
    as_if = wall.replace(tzinfo=UTC)
    guess = as_if - _offset(as_if, zone)
    return as_if - _offset(guess, zone)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _weekday(wall: datetime, zone: ZoneInfo) -> int:
    return _wall(_instant(wall, zone), zone).isoweekday() % 7


def _day_after(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0) + _DAY


def _first(values: frozenset[int], least: int) -> int | None:
    return min((value for value in values if value >= least), default=None)
