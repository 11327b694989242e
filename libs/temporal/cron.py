"""What a cron expression means to Temporal: whether it is taken, when it comes, how people say it. Pure.

An expression that can be read in two ways is refused: whichever meaning its author has in mind, half of the readers
take it for the other. So both day fields are never restricted at once (Temporal runs only when both match, other crons
when either does), and each field must mean to croniter, which reads it as other crons do, what it means to Temporal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cron_descriptor import ExpressionDescriptor, Options

from libs.temporal.calendar_times import Calendar, next_time
from libs.temporal.clock_changes import what_clock_changes_do


class _Field(NamedTuple):
    name: str
    lowest: int
    highest: int
    starts_anew: str
    """With every such span of time its values are counted from the lowest again."""
    names: tuple[str, ...] = ()
    """Of its values, from the lowest on."""


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    _Field("minute", 0, 59, "hour"),
    _Field("hour", 0, 23, "day"),
    _Field("day of the month", 1, 31, "month"),
    _Field("month", 1, 12, "year", _MONTHS),
    _Field("day of the week", 0, 7, "week", _WEEKDAYS),
)
_LONGEST: Final = 200
_DAY: Final = 86_400
_FIRST_DAY: Final = date(2000, 1, 1)
_ROUND: Final = date(2028, 1, 1) - _FIRST_DAY
"""After 28 years every date is on the same weekday again."""
_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_NO_PLACES: Final = frozenset({"localtime", "Factory"})
"""Names in the zone database whose meaning differs from machine to machine."""


class BadCron(ValueError):  # noqa: N818 - it names what is wrong
    """The schedule is not taken; the text says why, and what would be right.

    Attributes:
        field: "cron" or "timezone".
        code: "BAD_CRON" or "BAD_TIMEZONE".
    """

    def __init__(self, message: str, field: str = "cron") -> None:
        super().__init__(message)
        self.field, self.code = field, f"BAD_{field.upper()}"


def check(cron: str, timezone: str) -> None:
    """Nothing, when Temporal would take the schedule and run it as most people read it.

    Raises:
        BadCron: it would not.
    """
    calendar = _read(cron)
    _check_days(cron)
    _check_other_reading(cron, calendar)
    if next_time(calendar, zone_of(timezone), datetime.now(UTC)) is None:
        raise BadCron(f"{cron!r} never comes: no such day is in the calendar.")


def next_runs(cron: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """The next times, in UTC, at which Temporal starts a run (jitter aside); fewer when it stops coming.

    Raises:
        BadCron: the expression or the zone cannot be read.
    """
    calendar, zone = _read(cron), zone_of(timezone)
    runs: list[datetime] = []
    while len(runs) < count:
        found = next_time(calendar, zone, runs[-1] if runs else after)
        if found is None:
            break
        runs.append(found)
    return runs


@lru_cache(maxsize=1024)
def mean_gap(cron: str) -> float:
    """Seconds from one run to the next, on average over a whole round of the calendar; clock changes aside.

    Raises:
        BadCron: the expression cannot be read, or never comes.
    """
    calendar = _read(cron)
    matching, days = _days(calendar, cron)
    return days * _DAY / (len(matching) * len(calendar.hours) * len(calendar.minutes))


def longest_gap(cron: str) -> float:
    """Seconds of the longest time between two runs, as a weekend may be; clock changes aside.

    Raises:
        BadCron: the expression cannot be read, or never comes.
    """
    calendar = _read(cron)
    matching, days = _days(calendar, cron)
    times = sorted(3600 * hour + 60 * minute for hour in calendar.hours for minute in calendar.minutes)
    in_a_day = max((later - earlier for earlier, later in pairwise(times)), default=0)
    between_days = max(later - earlier for earlier, later in pairwise([*matching, matching[0] + days]))
    return float(max(in_a_day, between_days * _DAY - (times[-1] - times[0])))


def _days(calendar: Calendar, cron: str) -> tuple[list[int], int]:
    """The days on which runs come, counted from some Saturday, and the days of the round in which that repeats."""
    days = 7 if len(calendar.days) == 31 and len(calendar.months) == 12 else _ROUND.days
    matching = [day for day in range(days) if _matches(calendar, _FIRST_DAY + timedelta(days=day))]
    if not matching:
        raise BadCron(f"{cron!r} never comes: no such day is in the calendar.")
    return matching, days


def _matches(calendar: Calendar, day: date) -> bool:
    return day.month in calendar.months and day.day in calendar.days and day.isoweekday() % 7 in calendar.weekdays


def describe(cron: str) -> str:
    """The expression as people say it, such as "Every 15 minutes"; times by the 24 hour clock.

    Raises:
        BadCron: the expression cannot be read.
    """
    _read(cron)
    plain = " ".join(_plain(field, text) for field, text in zip(_FIELDS, _texts(cron), strict=True))
    options = Options(locale_code="en_US")  # else the text would depend on the machine's language
    options.use_24hour_time_format = True
    return str(ExpressionDescriptor(plain, options).get_description())


def notes(cron: str, timezone: str, after: datetime | None = None) -> list[str]:
    """What to know of a schedule that is taken: a sentence each, about the year from `after` (now) on."""
    calendar, zone = _read(cron), zone_of(timezone)
    uneven = [_uneven(field, text) for field, text in zip(_FIELDS, _texts(cron), strict=True)]
    return [note for note in uneven if note] + what_clock_changes_do(calendar, zone, after or datetime.now(UTC))


@cache
def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        BadCron: there is none of that name.
    """
    if timezone not in _zones():
        raise BadCron(
            f"There is no time zone {timezone!r}; give an IANA name such as UTC or Europe/Berlin.", "timezone"
        )
    return ZoneInfo(timezone)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


def _read(cron: str) -> Calendar:
    """The values of each field, as Temporal reads them."""
    if len(cron) > _LONGEST:
        raise BadCron(f"The expression has {len(cron)} characters; {_LONGEST} are enough for any.")
    texts = _texts(cron)
    if len(texts) == 1 and texts[0] in _MACROS:
        raise BadCron(f"{cron!r} is not taken; write {_MACROS[texts[0]]} for it.")
    if len(texts) != len(_FIELDS):
        fields = f"{len(texts)} field{'' if len(texts) == 1 else 's'}"
        raise BadCron(
            f"{cron!r} has {fields}; give five: minute, hour, day of the month, month, day of the week,"
            " such as */15 * * * *"
        )
    minutes, hours, days, months, weekdays = (
        frozenset(_values(field, text)) for field, text in zip(_FIELDS, texts, strict=True)
    )
    return Calendar(minutes, hours, days, months, frozenset(day % 7 for day in weekdays))


def _texts(cron: str) -> list[str]:
    """The expression's fields; blanks and tabs lie between them, and no other space that Temporal might not take."""
    return re.findall("[^ \t]+", cron)


def _values(field: _Field, text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch("0*[1-9][0-9]?", step):
            raise BadCron(f"The {field.name} {text!r} has a step that is no number above 0.")
        first, last = _span(field, span, text)
        values = range(first, (field.highest if slash else first) + 1 if last is None else last + 1, int(step or 1))
        if slash and len(values) == 1:
            raise BadCron(
                f"The {field.name} {text!r} comes at {first} only: steps are counted anew with every"
                f" {field.starts_anew}. Write {first} if that is meant."
            )
        found.update(values)
    return found


def _span(field: _Field, span: str, text: str) -> tuple[int, int | None]:
    """First and last value; None for the last when only one is named."""
    if span == "*":
        return field.lowest, field.highest
    first, dash, last = span.partition("-")
    low = _number(field, first, text)
    if not dash:
        return low, None
    high = _number(field, last, text)
    if high < low:
        hint = " The week begins on Sunday, which is also 7." if last.upper() == "SUN" else ""
        raise BadCron(f"The {field.name} {text!r} goes backwards from {first} to {last}.{hint}")
    return low, high


def _number(field: _Field, text: str, whole: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.lowest
    if re.fullmatch("[0-9]{1,2}", text) and field.lowest <= int(text) <= field.highest:
        return int(text)
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    raise BadCron(
        f"The {field.name} {whole!r} is not understood: give {field.lowest} to {field.highest}{names}, with * , - /"
    )


def _check_days(cron: str) -> None:
    _, _, day, _, weekday = _texts(cron)
    if day != "*" and weekday != "*":
        raise BadCron(
            f"{cron!r} restricts both the day of the month and the day of the week. Temporal runs only on days that"
            " match both, other crons on days that match either: leave one of them at *."
        )


def _check_other_reading(cron: str, calendar: Calendar) -> None:
    from croniter import croniter  # its import starts a program (`file`), to look at Python itself

    expanded, _ = croniter.expand(cron)
    for field, text, ours, theirs in zip(_FIELDS, _texts(cron), calendar, expanded, strict=True):
        # A star needs no comparing. croniter also makes one of `5-5`, which to all others means 5.
        if "*" not in theirs and ours != frozenset(theirs):
            raise BadCron(
                f"The {field.name} {text!r} is read in two ways: by Temporal as {_listed(ours)}, by others as"
                f" {_listed(theirs)}. Write down the one that is meant."
            )


def _plain(field: _Field, text: str) -> str:
    """A field as it can be described: a list with steps in it (`*/20,7`) becomes the list of its values."""
    if "," not in text or ("/" not in text and "*" not in text):
        return text
    values = _values(field, text)
    return "*" if len(values) > field.highest - field.lowest else ",".join(str(value) for value in sorted(values))


def _uneven(field: _Field, text: str) -> str | None:
    """What to know of `*/25`: its steps do not fill the hour."""
    step = re.fullmatch(r"\*/([0-9]+)", text)
    span = 7 if field.names == _WEEKDAYS else field.highest - field.lowest + 1
    if step is None or span % int(step[1]) == 0:
        return None
    values = _listed(_values(field, text))
    return f"The {field.name} {text} comes at {values}; the next {field.starts_anew} is counted anew."


def _listed(values: Iterable[int | str]) -> str:
    return ", ".join(str(value) for value in sorted(values, key=int))
