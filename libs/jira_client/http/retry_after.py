"""How long Jira asks us to wait, read from the headers it uses for that. Pure; times come in as arguments.

Sources: RFC 9110 10.2.3 (`Retry-After`: seconds or an HTTP date) and Atlassian's rate-limit page
(`X-RateLimit-Reset` as ISO 8601, seen without seconds; structured `RateLimit: "policy";r=0;t=120`).

| a header says | it is |
|---|---|
| more than `LONGEST` | `LONGEST` |
| a date or time that is past | 0 |
| a negative number, no number or one of over 100 digits, a date beyond the calendar | silent: as if it were not there |
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 3600.0
"""Seconds; a longer wait is cut to this. Jira's own quotas last an hour, and to ask once an hour harms nobody."""

_NUMBER: Final = re.compile(r"\d{1,100}(?:\.\d{1,100})?", re.ASCII)
_STRUCTURED: Final = re.compile(r";\s*t=(\d{1,100})(?!\d)", re.ASCII)


def http_date(text: str | None) -> datetime | None:
    """An HTTP date as an aware UTC time; None when absent or not a date."""
    try:
        parsed = parsedate_to_datetime(text or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Seconds to wait at least, as `Retry-After` asks of any answer; None when it is silent.

    `headers` has lower-case names. A date is counted from the answer's own `Date`, which makes our clock's error
    harmless; `now` stands in when there is none.
    """
    text = headers.get("retry-after")
    return _first(_seconds(text), _until(http_date(text), _origin(headers, now)))


def limit_wait(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Seconds to wait at least after an answer that a limit has refused (429); None when no header says.

    The headers about limits speak only when `Retry-After` is silent. On any other answer they say how much of a limit
    is left, which is no reason to wait.
    """
    return _first(
        retry_after(headers, now),
        _until(_moment(headers.get("x-ratelimit-reset")), _origin(headers, now)),
        _structured(headers.get("ratelimit")),
    )


def _origin(headers: Mapping[str, str], now: datetime | None) -> datetime | None:
    return http_date(headers.get("date")) or now


def next_full_hour(now: datetime) -> float:
    """Seconds until the next full UTC hour, when Jira fills its points quota up again."""
    passed = timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    return 3600 - passed.total_seconds()


def _first(*waits: float | None) -> float | None:
    return next((min(max(wait, 0.0), LONGEST) for wait in waits if wait is not None), None)


def _seconds(text: str | None) -> float | None:
    """A number of seconds; of several, which is what two headers of one name become, the longest."""
    parts = [part.strip() for part in (text or "").split(",")]
    return max(map(float, parts)) if all(map(_NUMBER.fullmatch, parts)) else None


def _until(moment: datetime | None, origin: datetime | None) -> float | None:
    if moment is None or origin is None:
        return None
    return float(math.ceil((moment - origin).total_seconds()))


def _moment(text: str | None) -> datetime | None:
    text = (text or "").strip()
    try:
        if _NUMBER.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _structured(text: str | None) -> float | None:
    # One entry per policy; which of them refused us is not said, so the longest counts.
    return max(map(float, _STRUCTURED.findall(text or "")), default=None)
