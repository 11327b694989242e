"""What a cron expression means to Temporal: whether it is taken, when it fires, how it reads in words. Pure.

Temporal lets a run begin only when the day of the month and the day of the week both match, other crons when either
does. So an expression that restricts both is refused: whichever meaning its author has in mind, half of the readers
take it for the other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cron_descriptor import ExpressionDescriptor, Options
from croniter import croniter

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_NAMES = {
    3: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    4: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

_ONE_DAY_SPAN = re.compile(r"\b(\w+)-\1\b(?:/\d+)?", re.ASCII | re.IGNORECASE)
"""`4-4` is 4; croniter takes it for the whole week."""

_YEARS = 5
"""29 February comes every four years, but for 2100; what has not fired in five never does."""


class BadCron(ValueError):  # noqa: N818 - it names what is wrong
    """The schedule is not taken; the text says why, and what would be right.

    Attributes:
        field: "cron" or "timezone".
    """

    def __init__(self, message: str, field: str = "cron") -> None:
        super().__init__(message)
        self.field = field


def check(cron: str, timezone: str) -> None:
    """Nothing, when Temporal would take the schedule and run it.

    Raises:
        BadCron: it would not, or not as most people read it.
    """
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise BadCron(
            f"{cron!r} has {len(fields)} fields; give five: minute, hour, day of the month, month, day of the week,"
            " such as */15 * * * *"
        )
    for index, text in enumerate(fields):
        _check_field(index, text)
    if fields[2] != "*" and fields[4] != "*":
        raise BadCron(
            f"{cron!r} restricts both the day of the month and the day of the week. Temporal runs only on days that"
            " match both, other crons on days that match either: leave one of them at *."
        )
    zone_of(timezone)
    if not next_runs(cron, timezone, datetime.now(UTC), 1):
        raise BadCron(f"{cron!r} never comes: no such day is in the calendar.")


def next_runs(cron: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """The next times, in UTC, at which Temporal starts a run (jitter aside); fewer when it stops firing.

    On the days when a zone's clocks change the server has ways of its own: see `notes`.

    Raises:
        BadCron: the expression or the zone cannot be read.
    """
    zone = zone_of(timezone)
    try:
        # Wall-clock times, reckoned without a zone: what a zone does to them on days when clocks change comes after.
        ticks = croniter(
            _ONE_DAY_SPAN.sub(r"\1", cron),
            after.astimezone(zone).replace(tzinfo=None) - timedelta(hours=3),
            day_or=False,
            max_years_between_matches=_YEARS,
            ret_type=datetime,
        )
        runs: list[datetime] = []
        while len(runs) < count:
            runs += [run for run in _instants(ticks.get_next(datetime), zone) if run > after and run not in runs]
    except StopIteration:
        return runs
    except (ValueError, KeyError) as error:
        if "failed to find next date" in str(error):
            return runs
        raise BadCron(f"{cron!r} is no cron expression of five fields: {error}") from error
    return sorted(runs)[:count]


def in_words(cron: str) -> str:
    """The expression as people say it, such as "Every 15 minutes"."""
    options = Options()
    options.use_24hour_time_format = True
    return str(ExpressionDescriptor(cron, options).get_description())


def notes(timezone: str) -> list[str]:
    """What to know of schedules in a time zone."""
    zone = zone_of(timezone)
    year = datetime.now(UTC).year
    if len({datetime(year, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}) == 1:
        return []
    return [
        f"Clocks in {timezone} change twice a year. On those two days Temporal may leave out or shift runs around the"
        " hour that is skipped or comes twice; UTC has no such days."
    ]


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        BadCron: there is none of that name.
    """
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise BadCron(
            f"There is no time zone {timezone!r}; give an IANA name such as UTC or Europe/Berlin.", "timezone"
        ) from error


def _instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """When a wall-clock time comes in a zone: not at all, once, or twice."""
    found = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(instant for instant in found if instant.astimezone(zone).replace(tzinfo=None) == wall)


def _check_field(index: int, text: str) -> None:
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch("0*[1-9][0-9]?", step):
            raise BadCron(f"The {_FIELDS[index]} {text!r} has a step that is no number above 0.")
        if span == "*":
            continue
        first, dash, last = span.partition("-")
        low, high = _number(index, first, text), _number(index, last, text) if dash else None
        if high is not None and high < low:
            raise BadCron(f"The {_FIELDS[index]} {text!r} goes backwards from {first} to {last}.")


def _number(index: int, text: str, whole: str) -> int:
    lowest, highest = _RANGES[index]
    named = _NAMES.get(index, [])
    if text.upper() in named:
        return named.index(text.upper()) + lowest
    if re.fullmatch("[0-9]{1,2}", text) and lowest <= int(text) <= highest:
        return int(text)
    names = f" or {named[0]} to {named[-1]}" if named else ""
    raise BadCron(f"The {_FIELDS[index]} {whole!r} is not understood: give {lowest} to {highest}{names}, with * , - /")
