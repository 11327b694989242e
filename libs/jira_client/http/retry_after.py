"""How long Jira asks us to wait, read from the headers it uses for that. Pure; times come in as arguments.

Sources: RFC 9110 10.2.3 (`Retry-After`: seconds or an HTTP date) and Atlassian's rate-limit page
(`X-RateLimit-Reset` as ISO 8601, seen without seconds; structured `RateLimit: "policy";r=0;t=120`).
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 30 * 86_400.0
"""Seconds; a longer wait is taken for nonsense and cut to this."""

_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_STRUCTURED: Final = re.compile(r";\s*t=(\d{1,12})(?!\d)", re.ASCII)


def http_date(text: str | None) -> datetime | None:
    """An HTTP date as an aware UTC time; None when absent or not a date."""
    try:
        parsed = parsedate_to_datetime(text or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Seconds to wait at least, or None when no header says.

    `headers` has lower-case names. A date is counted from the answer's own `Date`, which makes our clock's error
    harmless; `now` stands in when there is none. The other headers speak only when `Retry-After` is silent.
    """
    origin = http_date(headers.get("date")) or now
    return _first(
        _seconds(headers.get("retry-after")),
        _until(http_date(headers.get("retry-after")), origin),
        _until(_moment(headers.get("x-ratelimit-reset")), origin),
        _structured(headers.get("ratelimit")),
    )


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
