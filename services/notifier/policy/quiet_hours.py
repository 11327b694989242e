"""Quiet hours, by the wall clock of a zone, its jumps included: when a moment of quiet is over. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.policy.rules import WEEK, QuietHours

_ROUNDS: Final = 64
"""Hours that touch one another are passed one by one; a week's worth of them, several times over."""


def quiet_until(hours: Iterable[QuietHours], channel: str, at: datetime) -> datetime | None:
    """When it is no longer quiet, for a moment of quiet; None when it is not quiet then.

    Hours that cover the whole week end never: they are passed after so many rounds that something is sent at last.
    """
    mine = [one for one in hours if not one.channels or channel in one.channels]
    moment = at
    for _ in range(_ROUNDS):
        ends = [end for one in mine if (end := _end(one, moment)) is not None]
        if not ends:
            break
        moment = max(ends)
    return moment if moment > at else None


def _end(hours: QuietHours, at: datetime) -> datetime | None:
    """The end of the quiet hours that cover `at`, in UTC."""
    zone = ZoneInfo(hours.timezone)
    today = at.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        if WEEK[day.weekday()] not in hours.days:
            continue
        next_day = hours.ends_at <= hours.starts_at
        start = _moment(day, hours.starts_at, zone)
        end = _moment(day + timedelta(days=next_day), hours.ends_at, zone)
        if start <= at < end:
            return end
    return None


def _moment(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """A wall clock time of a day in UTC; one that the clock jumps over is as much later as it jumps."""
    return datetime.combine(day, wall, zone).astimezone(UTC)
