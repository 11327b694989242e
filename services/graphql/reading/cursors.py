"""Cursors of keyset pages: the sort values of the last row, opaque to clients."""

import base64
import binascii

import msgspec


class BadCursorError(ValueError):
    """The cursor is not one that this API gave out."""


def encode(values: tuple[str, ...]) -> str:
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
