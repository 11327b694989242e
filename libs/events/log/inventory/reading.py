"""The inventory for who asks: each answer is true up to the end of the log at the moment of the question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

from eventsourcing.persistence import PersistenceError

from libs.events.log.batches import Recorded
from libs.events.log.inventory.folding import Facts, Held, Totals, counted, in_order, shown_before
from libs.events.log.inventory.table import InventoryTable, held_of
from libs.events.types.event import Event
from libs.events.types.facts import JiraCommentFetched, JiraIssueFetched, WorklogFetched

AT_ONCE: Final = 500
"""Events that are folded in one transaction while the table catches up."""


class _Log(Protocol):
    """What is needed of the event store."""

    def read(self, after: int, limit: int, topics: Sequence[str], stop: int | None) -> list[Recorded]: ...
    def head(self) -> int: ...
    def last_before(self, versions: Mapping[UUID, int]) -> list[Event]: ...


class Inventory:
    """What the log holds of each issue. Blocks."""

    def __init__(self, log: _Log, table: InventoryTable, fold: Callable[[int, int, Facts], None]) -> None:
        """`fold` writes what the events between two positions say, as `InventoryTable.catch_up` does."""
        self._log = log
        self._table = table
        self._fold = fold

    def caught_up(self) -> InventoryTable:
        """The table, true up to the log's end.

        Raises:
            StoreError: `migrate` has not made the table yet.
        """
        while (mark := self._table.mark()) is not None:
            head = self._log.head()
            if mark >= head:
                return self._table
            # All of them: to pick topics takes the server longer than to send what is passed over here.
            found = self._log.read(mark, AT_ONCE, (), head)
            events = [recorded.event for recorded in found]
            facts = counted(events, self._log.last_before(shown_before(events)))
            self._fold(mark, found[-1].position if len(found) == AT_ONCE else head, facts)
        raise PersistenceError("the event log has no inventory yet. Run `jdi migrate`.")

    def of(self, site: str, issue_ids: Iterable[str]) -> dict[str, Held]:
        """What is held of issues; those of which nothing is are left out."""
        found = self.caught_up().held({(site, issue) for issue in issue_ids})
        return {issue: held_of(row) for (_, issue), row in found.items()}

    def present(self, site: str, project: str) -> list[str]:
        return in_order(self.caught_up().present(site, project))

    def absent(self, site: str, project: str) -> dict[str, str]:
        found = self.caught_up().absent(site, project)
        return {issue: found[issue] for issue in in_order(found)}

    def totals(self, site: str, project: str) -> Totals:
        return self.caught_up().totals(site, project)

    def lost_heads(self, site: str, project: str) -> list[str]:
        table = self.caught_up()
        lost = table.lost()
        if not lost:
            return []
        present = in_order(table.present(site, project))
        return [issue for issue in present if JiraIssueFetched.stream_of(site, issue) in lost]

    def lost_children(self, site: str, project: str) -> dict[str, list[UUID]]:
        table = self.caught_up()
        lost = table.lost()
        if not lost:
            return {}
        found: dict[str, list[UUID]] = {}
        present = in_order(table.present(site, project))
        for start in range(0, len(present), AT_ONCE):
            for issue, held in self.of(site, present[start : start + AT_ONCE]).items():
                streams = [*_streams(site, held)]
                if gone := [stream for stream in streams if stream in lost]:
                    found[issue] = gone
        return found


def _streams(site: str, held: Held) -> Iterable[UUID]:
    yield from (JiraCommentFetched.stream_of(site, comment) for comment in held.comments)
    yield from (WorklogFetched.stream_of(site, worklog) for worklog in held.worklogs)
