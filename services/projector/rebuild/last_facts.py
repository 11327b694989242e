"""What a part of the log comes to, where of each entity only its last fact becomes a row: computed beside the writer.

Most tables hold of an entity what its last fact says, so the facts before it need not become rows; what they leave
behind all the same (keys that an issue had, people and sprints whom only they name) is noted (`SUPERSEDED`).
"""

import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from libs.events import EventStore
from libs.read_tables import LIVE
from services.projector.batch import Absence, Changes
from services.projector.issues.absences import CHILDREN, tombstone_row
from services.projector.issues.memberships import membership_rows
from services.projector.issues.sprints import current_sprint
from services.projector.projections import collect_last
from services.projector.tables.bulk import Packed, Values, pack
from services.projector.tables.rows import Key, Row

States = Mapping[str, Mapping[str, str]]
"""Site -> sprint -> its state, as the sprint itself said last."""

_ISSUES: Final = ("issue", *CHILDREN)

_values: Final[Mapping[str, Callable[[Row], Values]]] = {
    name: operator.itemgetter(*LIVE[name].columns.keys()) for name in (*_ISSUES, "issue_sprint", "gone")
}


class Portion(NamedTuple):
    """What the events of a part of the log come to."""

    position: int
    """Of the last of them; 0 where there is none."""
    rows: Mapping[str, Packed]
    """By table; none of them is written twice in a whole log."""
    absent: list[Key]
    """Issues that are not there any more."""
    rest: Changes
    """What one cannot know before all parts are there."""


@dataclass(frozen=True)
class LastFacts:
    """How a process makes a portion."""

    dialect: str
    """Of the database that the rows are for."""
    superseded: bytes
    """An array of the positions of all events in whose stream another one follows."""
    states: States

    def __call__(self, store: EventStore, after: int, upto: int) -> Portion:
        """What the events between two positions come to.

        Raises:
            Exception: one of them cannot be applied.
        """
        superseded = memoryview(self.superseded).cast("q")  # of the whole log, so not copied for each part
        within = {*superseded[bisect_right(superseded, after) : bisect_right(superseded, upto)]}
        batch = store.read_placed(after, upto, within)
        changes = collect_last(batch)
        _choose_sprints(changes, self.states)
        rows = {name: pack(self.dialect, values) for name, values in _rows(changes).items() if values}
        absent = [key for key, entity in changes.entities["issue"].items() if isinstance(entity.content, Absence)]
        for name in _ISSUES:
            del changes.entities[name]
        changes.memberships = {}
        return Portion(batch[-1].recorded.position if batch else 0, rows, absent, changes)


def _choose_sprints(changes: Changes, states: States) -> None:
    """Set `sprint_id` of the rows of issues."""
    for key, members in changes.memberships.items():
        row = changes.entities["issue"][key].content
        if members and not isinstance(row, Absence):
            row["sprint_id"] = current_sprint(members, states.get(key[0], {}))


def _rows(changes: Changes) -> dict[str, list[Values]]:
    """By table, in the order of its columns."""
    gone: list[Values] = []
    rows = {"gone": gone, "issue_sprint": [*map(_values["issue_sprint"], membership_rows(changes.memberships))]}
    for name in _ISSUES:
        values, made = _values[name], []
        for key, entity in changes.entities[name].items():
            if isinstance(entity.content, Absence):
                gone.append(_values["gone"](tombstone_row(name, key, entity)))
            else:
                made.append(values(entity.content))
        rows[name] = made
    return rows
