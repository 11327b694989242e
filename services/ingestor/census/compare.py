"""What is only in Jira's list, and what is only here. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

PAGE = 100
"""Issues with all their fields that one request reads."""
CONFIRMED_AT_ONCE = 1000
"""Issues that one step confirms, by ten requests."""
MOST_FETCHED = 10_000
"""Of more issues that we lack, a full sync is asked for: it reads them as fast, and tells how far it is."""
MOST_CONFIRMED = 20_000
"""Of more issues that are missing, none is asked about: they are held back whatever Jira would say of each."""


class Compared(NamedTuple):
    """Ids that are on one side only, each side in its own order."""

    lacking: list[str]
    """Jira lists them, and they are not here; or an event of theirs is lost, whether it lists them or not."""
    missing: list[str]
    """They are shown here, and Jira does not list them."""


def compared(listed: Collection[str], present: Sequence[str], lost: Collection[str]) -> Compared:
    """Compare by id.

    Args:
        listed: by Jira.
        present: stored and not gone.
        lost: those of `present` of which an event is not in the log any more.
    """
    known, on_list = set(present), set(listed)
    lacking = [issue for issue in listed if issue not in known]
    return Compared([*lacking, *lost], [issue for issue in present if issue not in on_list])


def pages(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def in_order(ids: Iterable[str]) -> list[str]:
    """By number; what is none comes last."""
    return sorted(ids, key=lambda one: (not one.isdecimal(), int(one) if one.isdecimal() else 0, one))
