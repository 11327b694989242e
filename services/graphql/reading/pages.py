"""Pages of lists: how long they may be, and where one goes on.

A cursor holds the sort values of the last row of a page, opaque to clients; an entry of a log is its own cursor. What
cannot be served is refused with what would be right.
"""

import base64
import binascii
from typing import Final

import msgspec

from services.graphql.execution.errors import bad_input

MAX_PAGE: Final = 100
"""Issues of a page."""

MAX_LIST: Final = 200
"""Entries of a list that people look through."""

MAX_LOGS: Final = 1000
"""Entries of a list that grows with every run."""

MAX_UPCOMING: Final = 10
"""Runs to come: Temporal tells no more."""

NOTIFICATIONS_OF_AN_ALERT: Final = 20

LOGS_AT_ONCE: Final = 500
"""Entries of a log that a subscription reads at once; it goes on until there are no more."""

ALERTS_AT_ONCE: Final = 200
"""Alerts of one event of a subscription."""


class BadCursorError(ValueError):
    """The cursor is not one that this API gave out."""


def how_many(most: int) -> str:
    """The description of an argument that `within` checks."""
    return f"How many, 1 to {most}."


def within(name: str, value: int, most: int, hint: str = "") -> int:
    """The value of the argument `name`, when it lies between 1 and `most`.

    Raises:
        GraphQLError: it does not; `hint` says how to come by more.
    """
    if not 1 <= value <= most:
        raise bad_input(f"{name} must be between 1 and {most}, not {value}{hint}")
    return value


def position_in(cursor: str | None, argument: str) -> int | None:
    """The position in the event log that an entry's id is.

    Raises:
        GraphQLError: it is none.
    """
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
        raise bad_input(f"{argument}: {cursor!r} is not the id of an entry")
    return int(cursor)


def keyset(after: str | None, length: int) -> tuple[str, ...] | None:
    """The sort values in the cursor `after`; None without one.

    Raises:
        GraphQLError: it is no cursor of this list.
    """
    try:
        return None if after is None else decode(after, length)
    except BadCursorError as error:
        raise bad_input(f"after: {error}") from error


def encode(values: tuple[str, ...]) -> str:
    """The cursor that holds these sort values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decode(cursor: str, length: int) -> tuple[str, ...]:
    """The sort values in a cursor.

    Raises:
        BadCursorError: made by somebody else.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=tuple[str, ...])
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise BadCursorError(f"{cursor!r} is not a cursor of this API; use pageInfo.endCursor of a page") from error
    if len(values) != length:
        raise BadCursorError(f"{cursor!r} is a cursor of another list")
    return values
