"""Times as the tables hold them: text in UTC with milliseconds, as in the read tables beside them."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present time, with a time zone."""


def now() -> datetime:
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """`2026-01-02T03:04:05.678Z`: sorts like the time."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def written_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else written(moment)


def read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def read_or_none(text: str | None) -> datetime | None:
    return None if text is None else read(text)
