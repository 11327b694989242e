"""Times as the read tables hold them: text in UTC with milliseconds, `2026-01-02T03:04:05.678Z`."""

import functools
from datetime import UTC, datetime
from typing import Any, Final

_LENGTH: Final = len("2026-01-02T03:04:05.678")


def stamp(moment: datetime) -> str:
    """`moment` as text; without a zone it counts as UTC. Microseconds are cut off, not rounded."""
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{in_utc.isoformat(timespec='milliseconds')[:_LENGTH]}Z"


def parse_time(value: Any) -> str | None:
    """Any time that Jira writes: `2026-01-02T03:04:05.678+0200`, `…Z`, without milliseconds, a date; else None."""
    return _parse(value) if isinstance(value, str) else None


@functools.lru_cache(maxsize=1024)  # comments and worklogs are seldom edited: they are created and updated at once
def _parse(text: str) -> str | None:
    try:
        return stamp(datetime.fromisoformat(text))
    except (ValueError, OverflowError):  # Overflow: the year 1 in a zone east of Greenwich
        return None
