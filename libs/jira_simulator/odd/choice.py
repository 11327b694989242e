"""Which record is odd, and how: it follows from the seed, what the record is, and its id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from libs.jira_simulator.odd.children import COMMENTS, INLINE_LISTS, LISTS, WORKLOGS
from libs.jira_simulator.odd.issues import ISSUES
from libs.jira_simulator.odd.kinds import Kind, chosen
from libs.jira_simulator.odd.look_ups import (
    BOARDS,
    FIELDS,
    PROJECTS,
    SITE,
    SPRINT_LISTS,
    SPRINTS,
    USERS,
    WITHOUT_ACCOUNT,
)
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.entities import UNKNOWN_ACCOUNT

KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "issue": ISSUES,
    "comment": COMMENTS,
    "worklog": WORKLOGS,
    "user": USERS + WITHOUT_ACCOUNT,
    "sprint": SPRINTS,
    "board": BOARDS,
    "field": FIELDS,
    "project": PROJECTS,
    "inline comments": INLINE_LISTS,
    "inline worklogs": INLINE_LISTS,
    "comments": LISTS,
    "worklogs": LISTS,
    "sprints": SPRINT_LISTS,
    **{f"site {name}": kinds for name, kinds in SITE.items()},
}
"""What may be odd, and how. Lists of children are known by their issue's id, those of sprints by their board's."""

STRAY: Final = "stray"
"""Stands for what goes astray, among the names of kinds."""

NAMES: Final = {STRAY} | {
    name for record, kinds in KINDS.items() for name in (record, *(f"{record}: {kind.name}" for kind in kinds))
}


class Choice:
    """The oddities of one seed; see `world.Odd` for the arguments. Raises ValueError for a kind that is none."""

    def __init__(self, seed: int, rate: float, kinds: Iterable[str]) -> None:
        self.seed, self.rate = seed, rate
        only = frozenset(kinds)
        if unknown := only - NAMES:
            raise ValueError(f"there is no kind {min(unknown)!r} of oddity; there are: {', '.join(sorted(NAMES))}")
        self.strays = not only or STRAY in only
        self._kinds = {
            record: [kind for kind in kinds if not only or record in only or f"{record}: {kind.name}" in only]
            for record, kinds in KINDS.items()
        }

    def of(self, record: str, id_: str) -> Kind | None:
        """How a record is odd, whether it was shown or not."""
        if id_ == UNKNOWN_ACCOUNT:
            return None  # many people, of whom each is odd by himself
        kinds = self._kinds[record]
        if record == "field" and id_ == SPRINT_FIELD:
            kinds = [kind for kind in kinds if kind.name.startswith("name")]
        rate = self.rate / 2 if record.startswith("site ") else self.rate
        return chosen(kinds, rate, self.seed, record, id_) if kinds else None
