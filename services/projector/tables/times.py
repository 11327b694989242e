"""Times as the read tables hold them: text in UTC with milliseconds, `2026-01-02T03:04:05.678Z`."""

import functools
import re
from datetime import UTC, datetime
from typing import Any, Final

_NUMBER: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)
_USUAL: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)(:[0-5]\d:[0-5]\d\.\d{3})([+-]\d\d00|Z)", re.ASCII)
"""In a zone that is whole hours away from ours: but for the hour it is written as we do."""
_MILLISECONDS: Final = 1e11
"""A number of seconds from here on lies beyond the year 5000: it is meant in milliseconds."""
_DAY: Final = 86_400
_LENGTH: Final = len("2026-01-02T03:04:05.678")


def stamp(moment: datetime) -> str:
    """`moment` as text; without a zone it counts as UTC. Microseconds are cut off, not rounded."""
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{in_utc.isoformat(timespec='milliseconds')[:_LENGTH]}Z"


def parse_time(value: Any) -> str | None:
    """Any time that Jira writes: `2026-01-02T03:04:05.678+0200`, `…Z`, without milliseconds, a date; else None.

    What is all digits counts seconds or milliseconds since 1970.
    """
    return _parse(value) if isinstance(value, str) else None


@functools.lru_cache(maxsize=1024)  # comments and worklogs are seldom edited: they are created and updated at once
def _parse(text: str) -> str | None:
    try:
        if usual := _USUAL.fullmatch(text):
            hour, within, zone = usual.groups()
            return f"{_hour(hour, zone)}{within}Z"
        text = text.strip()
        moment = _since_epoch(float(text)) if _NUMBER.fullmatch(text) else datetime.fromisoformat(text)
        return stamp(moment) if moment is not None else None
    except (ValueError, OverflowError, OSError):  # Overflow: the year 1 in a zone east of Greenwich
        return None


@functools.lru_cache(maxsize=8192)  # a year has 8,760
def _hour(text: str, zone: str) -> str:
    """`2026-01-02T03` of a zone in UTC."""
    return stamp(datetime.fromisoformat(f"{text}:00{zone}"))[: len(text)]


def _since_epoch(number: float) -> datetime | None:
    """None for a number so small that it is no time of a Jira: 0 stands for none."""
    seconds = number / 1000 if number >= _MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC) if seconds >= _DAY else None
