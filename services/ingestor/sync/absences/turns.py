"""Whose turn it is to be read again. Pure.

Not every deletion of a comment or worklog, and not every change of a field, moves an issue's `updated`. So once an hour
some issues are read although nothing says that they have changed, one after another.
"""

from __future__ import annotations

from collections.abc import Sequence


def turn(present: Sequence[str], last: str | None, room: int) -> tuple[str, ...]:
    """The issues that follow the last one that had its turn; after the end come the first ones.

    Args:
        present: ids of the project's issues, in the order of their numbers.
        last: the id that had its turn last; it may be gone.
        room: how many there is room for.
    """
    if last is not None:
        start = next((place for place, issue in enumerate(present) if (len(issue), issue) > (len(last), last)), 0)
    else:
        start = 0
    return tuple([*present[start:], *present[:start]][: max(room, 0)])
