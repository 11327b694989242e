"""Arguments that several root fields take. What cannot be served is refused with what would be right."""

from typing import Annotated

import strawberry

from services.graphql.execution.errors import bad_input
from services.graphql.reading.cursors import BadCursorError, decode

Reason = Annotated[str | None, strawberry.argument(description="Why: kept in the settings history.")]
Once = Annotated[
    str | None,
    strawberry.argument(description="The same key again, of the same caller, is carried out once: safe to repeat."),
]


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
