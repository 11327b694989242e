"""Values read as far as they go, and words for what could not be read. Pure.

A record that Jira shows otherwise than documented costs itself and nothing beside it. So whatever only decides an
order or a digest is read by functions that never raise. Where an id or a whole record cannot be read, something of
`ODD` is raised, and whoever reads a list catches that for each of its records.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, UTC, datetime
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw


class UnreadableError(ValueError):
    """A record is not as Jira documents it; the text names the place and what is wrong there."""


AGAIN: Final = "it is tried again by the next runs"

ODD: Final = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError)
"""What reading a record can raise, whatever stands in it."""

_USUAL: Final = '"2026-01-02T03:04:05.678+0200"'
_SIGN: Final = _USUAL.index("+")
_NOTHING: Final = (Raw(b"null"), Raw(b""))
_values: Final = msgspec.json.Decoder()
_times: Final = msgspec.json.Decoder(datetime)
_FIRST: Final = datetime(1970, 1, 2, tzinfo=UTC)
"""Earlier times are placeholders (0, year 1), not times of a Jira."""
_MILLISECONDS: Final = 1e11
"""A number of seconds from here on lies beyond the year 5000: it is meant in milliseconds."""
_WHY: Final = 200
_ID: Final = 20
_LONGEST_NAME: Final = 60
_LONGEST_ACCOUNT: Final = 128
_ID_OR_KEY: Final = re.compile(r"[0-9]{1,20}|[A-Z][A-Z0-9_]+-[0-9]{1,18}", re.ASCII)


class Odd(NamedTuple):
    """A record, a part of one, or a list, that could not be read."""

    record: str
    """As of `QuarantineEvent`."""
    kind: str
    name: str
    """What people call it, as in `Issue MOVA-7, comment 12`."""
    why: str
    issue_id: str | None = None
    issue_key: str | None = None
    raw: Raw | None = None
    """None for a list that could not be had."""
    shown: bool = False
    """Whether the record is stored all the same, and shown as far as it can be read."""

    @property
    def part(self) -> str:
        """What of its issue or comment it is, as in `status`."""
        return self.record.rpartition("/")[2].partition(" of ")[0]

    def under(self, unit: str) -> Odd:
        """The same, as a part of a look-up."""
        return self._replace(record=f"{unit}/{self.record}")

    @property
    def warning(self) -> str:
        return f"{self.name} could not be read: {self.why}; {AGAIN}"


def said(raw: Raw | None) -> bool:
    """Whether a value is there at all; null says no more than a key that is missing."""
    return raw is not None and raw not in _NOTHING


def text_of(raw: Raw | None) -> str | None:
    """A text, also one that came as a whole number; None for anything else and for an empty one."""
    value = _value(raw)
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def needed(raw: Raw | None, name: str) -> str:
    """A text without which its record is none. Raises UnreadableError."""
    text = text_of(raw)
    if text is None:
        raise UnreadableError(f"`{name}` is missing or no text")
    return text


def words_of(raw: Raw | None) -> str:
    """A value as words that differ where it differs: a text as it is, nothing as "", the rest as its JSON."""
    if raw is None or not said(raw):
        return ""
    value = _value(raw)
    return value if isinstance(value, str) else bytes(raw).decode("utf-8", "replace")


def count_of(raw: Raw | None) -> int | None:
    """A number of things, also one that came as text; None where it is none."""
    text = text_of(raw)
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= _ID else None


def instant(text: str) -> datetime:
    """A time as Jira writes it (`2026-01-02T03:04:05.678+0200`), in UTC.

    Raises:
        ValueError, OverflowError: it is no such time, or beyond the calendar.
    """
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment_of(raw: Raw | None) -> datetime | None:
    """A time in UTC, also one that came as an epoch (seconds or milliseconds); None where it cannot be read."""
    usual = None if raw is None else _usual_moment(raw)
    if usual is not None:
        return usual
    value = _value(raw)
    try:
        if isinstance(value, str):
            moment = _since_epoch(float(value)) if value.isdecimal() else instant(value.strip())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = _since_epoch(value)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment >= _FIRST else None


def _usual_moment(raw: Raw) -> datetime | None:
    """A time that is written as Jira does, which nearly all are; the decoder is many times faster than `instant`."""
    if len(raw) != len(_USUAL) or bytes(raw)[_SIGN] not in b"+-":
        return None
    try:
        moment = _times.decode(raw)
    except msgspec.DecodeError:
        return None
    return moment.astimezone(UTC) if _FIRST.year < moment.year < MAXYEAR else None


def _since_epoch(number: float) -> datetime:
    return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, UTC)


def _value(raw: Raw | None) -> object:
    try:
        return None if raw is None else _values.decode(raw)
    except ODD:
        return None


def askable(name: str | None) -> bool:
    """Whether Jira can be asked for an issue of this id or key: anything else would spoil the whole request."""
    return name is not None and len(name) <= _LONGEST_NAME and _ID_OR_KEY.fullmatch(name) is not None


def is_account(account: str) -> bool:
    """Whether a text can be an account id: Jira's have up to 128 characters, and stand in addresses."""
    return 0 < len(account) <= _LONGEST_ACCOUNT and account.isascii() and account.isprintable() and " " not in account


def why(error: BaseException) -> str:
    """The reason in one short line, without the record's own words."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _WHY else f"{text[:_WHY]}…"


def name_of(kind: str, record_id: str | None, place: int) -> str:
    """What a record is called in a warning: by its id (or key), else by its place (from 1) in its list."""
    return f"{kind} {record_id[:_WHY]}" if record_id else f"{kind} at place {place}"
