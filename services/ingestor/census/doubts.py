"""How many issues are hidden, as far as Jira's counts tell, and of which issues they leave that open. Pure.

Jira counts all issues of a project. Those that it does not show to our account are

    hidden issues that we know  +  hidden ones among those in doubt  +  foreign ones, never shown to us

What has come to the last two together since the last census is newly hidden. How many of those in doubt are hidden is
kept as bounds, so that a later census can settle it: an issue that is shown again was one of them, and where Jira
counts none beyond those that it shows, none is left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from libs.events import AbsenceReason


class Between(msgspec.Struct, frozen=True):
    """A number of issues, as far as it is known."""

    least: int = 0
    most: int = 0

    def among(self, number: int) -> Between:
        """Of so many issues, at most all."""
        return Between(min(max(self.least, 0), number), min(max(self.most, 0), number))

    def less(self, number: int) -> Between:
        return Between(max(self.least - number, 0), max(self.most - number, 0))

    def plus(self, other: Between) -> Between:
        return Between(self.least + other.least, self.most + other.most)


class Doubt(msgspec.Struct, frozen=True):
    """Issues that are gone, of which some are hidden and the others were deleted; nothing says which."""

    ids: tuple[str, ...] = ()
    hidden: Between = Between()

    def with_more(self, ids: Collection[str], hidden: Between) -> Doubt:
        return Doubt((*self.ids, *ids), self.hidden.plus(hidden)) if ids else self


class Told(NamedTuple):
    """Issues of which something else than a count says what has become of them."""

    deleted: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()
    """Jira still has them, so they are hidden."""


class Settled(NamedTuple):
    """What is known by now of issues that were in doubt."""

    reasons: Mapping[str, AbsenceReason]
    doubt: Doubt
    """What is left of it."""


def settled(doubt: Doubt, back: Collection[str], told: Told, surplus: int | None) -> Settled:
    """Settle what can be.

    Args:
        doubt: as the last census has left it.
        back: those that Jira has shown since, so that they were hidden.
        told: what else says something of them.
        surplus: issues that Jira counts beyond those that it shows; None where it does not count.
    """
    there = [issue for issue in doubt.ids if issue in told.there and issue not in back]
    reasons = dict.fromkeys(there, AbsenceReason.HIDDEN)
    deleted = [issue for issue in doubt.ids if issue in told.deleted and issue not in {*back, *there}]
    reasons |= dict.fromkeys(deleted, AbsenceReason.DELETED)
    left = tuple(issue for issue in doubt.ids if issue not in back and issue not in reasons)
    hidden = doubt.hidden.less(len(doubt.ids) - len(left) - len(deleted))
    if surplus is not None:
        hidden = hidden.among(max(surplus - len(there), 0))
    all_one = decided(left, hidden.among(len(left)))
    if all_one is not None:
        return Settled({**reasons, **all_one}, Doubt())
    return Settled(reasons, Doubt(left, hidden.among(len(left))))


def newly_hidden(unexplained: int, before: int | None, back: int) -> Between:
    """How many issues have become hidden since the last census.

    Args:
        unexplained: the surplus, but for issues that are known to be hidden. Where such ones were deleted since, which
            nobody sees, it is too small by as many, now and later.
        before: the same, as the last census has left it; None before the first, where none may be new.
        back: of those in doubt, how many are shown again.
    """
    if before is None:
        return Between(0, max(unexplained, 0))
    more = max(unexplained - (before - back), 0)
    return Between(more, more)


def decided(issues: Collection[str], hidden: Between) -> dict[str, AbsenceReason] | None:
    """Why each is gone, where all of them are gone for the same reason; else None."""
    if hidden.most == 0:
        return dict.fromkeys(issues, AbsenceReason.DELETED)
    return dict.fromkeys(issues, AbsenceReason.HIDDEN) if hidden.least >= len(issues) else None
