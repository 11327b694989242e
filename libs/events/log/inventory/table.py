"""The table of the inventory, whatever the database: how an append and a reader that catches up write it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from libs.events.log.inventory.folding import Facts, Held, Key, Row, Totals, fold, in_order, keys_of

START: Final = 0
"""The mark of a table that nothing was folded into; to set it has the table made anew."""

Columns = tuple[str, str, str, str, bytes, bytes, int, int]
"""Site, issue, project, absent, the ids of comments and of worklogs as JSON, and how many they are."""

_ids: Final = msgspec.json.Decoder(list[str]).decode
_encode: Final = msgspec.json.Encoder().encode


class InventoryTable(ABC):
    """The table of one log. Cursors are of the transaction that writes, which holds the lock that all writers take."""

    def __init__(self) -> None:
        self._there = False

    def follow(self, c: Any, first: int, last: int, facts: Facts) -> None:
        """Fold what an append says, if the table was true up to the event before it.

        Args:
            c: of a transaction that has written the events.
            first: position of the first of them.
            last: of the last.
            facts: those of them that count.
        """
        self._there = self._there or self.is_there(c)
        if self._there and self.move_on(c, first, last):
            self._fold(c, facts)

    def catch_up(self, c: Any, after: int, upto: int, facts: Facts) -> None:
        """Fold what the events after a position say, unless another was first.

        Args:
            c: of a transaction that has written nothing yet.
            after: the mark when they were read.
            upto: the position up to which they were read.
            facts: those of them that count.
        """
        if self.move(c, after, upto):
            if after == START:
                self.clear(c)
            self._fold(c, facts)

    def _fold(self, c: Any, facts: Facts) -> None:
        if not facts.events:
            return
        keys = keys_of(facts)
        before = self.rows(c, keys)
        rows = {key: row_of(columns) for key, columns in before.items()}
        fold(rows, facts)
        after = ((key, columns_of(key, row)) for key, row in rows.items())
        self.write(c, [columns for key, columns in after if columns != before.get(key)])

    @abstractmethod
    def is_there(self, c: Any) -> bool:
        """Whether `migrate` has made the table: a log of a former version has none."""

    @abstractmethod
    def move_on(self, c: Any, first: int, last: int) -> bool:
        """Set the mark to `last` if it lies at, or beyond, the end of what comes before `first`.

        It lies beyond where the log's end was cut off by hand.
        """

    @abstractmethod
    def move(self, c: Any, after: int, upto: int) -> bool:
        """Set the mark to `upto` if it is `after`."""

    @abstractmethod
    def clear(self, c: Any) -> None: ...

    @abstractmethod
    def rows(self, c: Any, keys: Collection[Key]) -> dict[Key, Columns]: ...

    @abstractmethod
    def write(self, c: Any, rows: Sequence[Columns]) -> None:
        """Put rows in the place of those of the same issues."""

    @abstractmethod
    def mark(self) -> int | None:
        """The position up to which the table is true; None where there is no table."""

    @abstractmethod
    def held(self, keys: Collection[Key]) -> dict[Key, Columns]: ...

    @abstractmethod
    def present(self, site: str, project: str) -> list[str]:
        """Ids, in any order."""

    @abstractmethod
    def absent(self, site: str, project: str) -> dict[str, str]: ...

    @abstractmethod
    def totals(self, site: str, project: str) -> Totals: ...

    @abstractmethod
    def lost(self) -> set[UUID]:
        """Streams of the log whose head stands for an event that is not there."""


def row_of(columns: Columns) -> Row:
    _, _, project, absent, comments, worklogs, *_ = columns
    return Row(project=project, absent=absent, comments=set(_ids(comments)), worklogs=set(_ids(worklogs)))


def columns_of(key: Key, row: Row) -> Columns:
    comments, worklogs = _packed(row.comments), _packed(row.worklogs)
    return *key, row.project, row.absent, comments, worklogs, len(row.comments), len(row.worklogs)


def _packed(ids: set[str]) -> bytes:
    return _encode(in_order(ids)) if ids else b"[]"


def held_of(columns: Columns) -> Held:
    _, _, project, absent, comments, worklogs, *_ = columns
    return Held(project, absent, tuple(_ids(comments)), tuple(_ids(worklogs)))


def by_key(rows: Iterable[Columns]) -> dict[Key, Columns]:
    return {(row[0], row[1]): row for row in rows}
