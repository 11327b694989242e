"""The scalar `DateTime`: in Python the text of the read tables, UTC with milliseconds, `2026-01-02T03:04:05.678Z`.

Such texts sort like the times, so arguments are brought to the same form and compared as text.
"""

from datetime import UTC, datetime
from typing import Any, Final, NewType

import strawberry

from services.graphql.errors import ApiError, bad_input

DateTime = NewType("DateTime", str)

_LENGTH: Final = len("2026-01-02T03:04:05.678")


def stamp(moment: datetime) -> DateTime:
    """`moment`, which has a time zone, as text; microseconds are cut off."""
    return DateTime(f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:_LENGTH]}Z")


def parse_argument(value: Any) -> DateTime:
    """A time that a caller wrote.

    Raises:
        ApiError: it is no RFC 3339 time with a time zone.
    """
    try:
        moment = datetime.fromisoformat(value)
        text = stamp(moment)
    except (TypeError, ValueError, OverflowError):  # Overflow: the year 1 in a zone east of Greenwich
        raise _refused(value) from None
    if moment.tzinfo is None:
        raise _refused(value)
    return text


def _refused(value: Any) -> ApiError:
    return bad_input(f"{str(value)[:40]!r} is not a time with a time zone; write it like 2026-01-02T03:04:05Z")


DATE_TIME: Final = strawberry.scalar(
    name="DateTime",
    description="A time by RFC 3339. Answers are in UTC with milliseconds: 2026-01-02T03:04:05.678Z. "
    "Arguments may have any time zone, but must have one.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=str,
    parse_value=parse_argument,
)
