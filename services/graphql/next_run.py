"""When a schedule fires next, computed by the rules of Temporal."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from croniter import croniter

from services.graphql.times import DateTime, stamp

_FIELDS: Final = 5


def next_run(cron: str, timezone: str, now: datetime) -> DateTime | None:
    """The first time after `now` that matches the five cron fields in the time zone; None when there is none.

    Temporal wants both the day of the month and the day of the week to match (`day_or=False`), other crons either.
    """
    if len(cron.split()) != _FIELDS:  # a sixth field means the year to Temporal and seconds to croniter
        return None
    try:
        local = now.astimezone(ZoneInfo(timezone))
        ticks = croniter(cron, local, day_or=False, max_years_between_matches=5)
        return stamp(ticks.get_next(datetime))
    except (ValueError, KeyError, OSError):  # an unknown zone, a field out of range, 30 February
        return None
