"""The inventory on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.sqlite import SQLiteDatastore

from libs.events.log.inventory.folding import Key, Totals
from libs.events.log.inventory.table import Columns, InventoryTable, by_key

AT_ONCE = 400
"""Issues of one statement: it may have 999 variables."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS inventory (site TEXT NOT NULL, issue_id TEXT NOT NULL, project TEXT NOT NULL,"
    " absent TEXT NOT NULL, comments BLOB NOT NULL, worklogs BLOB NOT NULL, comment_count INTEGER NOT NULL,"
    " worklog_count INTEGER NOT NULL, PRIMARY KEY (site, issue_id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS inventory_of_project ON inventory (site, project, absent)",
    "CREATE TABLE IF NOT EXISTS inventory_mark (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL)",
    "INSERT INTO inventory_mark VALUES (1, 0) ON CONFLICT DO NOTHING",
)

_OF_PROJECT = "FROM inventory WHERE site = ? AND project = ? AND absent"


class SQLiteInventory(InventoryTable):
    """The table in a file."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__()
        self._datastore = datastore

    def is_there(self, c: Any) -> bool:
        c.execute("SELECT 1 FROM sqlite_master WHERE name = 'inventory_mark'")
        return c.fetchone() is not None

    def move_on(self, c: Any, first: int, last: int) -> bool:
        c.execute(
            "UPDATE inventory_mark SET position = ? WHERE position >="
            " (SELECT coalesce(max(rowid), 0) FROM stored_events WHERE rowid < ?)",
            (last, first),
        )
        return _changed(c)

    def move(self, c: Any, after: int, upto: int) -> bool:
        c.execute("UPDATE inventory_mark SET position = ? WHERE position = ?", (upto, after))
        return _changed(c)

    def clear(self, c: Any) -> None:
        c.execute("DELETE FROM inventory")

    def rows(self, c: Any, keys: Collection[Key]) -> dict[Key, Columns]:
        found: dict[Key, Columns] = {}
        for site in {site for site, _ in keys}:
            issues = [issue for at, issue in keys if at == site]
            for start in range(0, len(issues), AT_ONCE):
                part = issues[start : start + AT_ONCE]
                marks = ",".join("?" * len(part))
                c.execute(f"SELECT * FROM inventory WHERE site = ? AND issue_id IN ({marks})", (site, *part))  # noqa: S608
                found |= by_key(tuple(row) for row in c.fetchall())
        return found

    def write(self, c: Any, rows: Sequence[Columns]) -> None:
        c.executemany("INSERT OR REPLACE INTO inventory VALUES (?,?,?,?,?,?,?,?)", rows)

    def mark(self) -> int | None:
        with self._datastore.transaction(commit=False) as c:
            if not self.is_there(c):
                return None
            c.execute("SELECT position FROM inventory_mark")
            return int(c.fetchone()[0])

    def held(self, keys: Collection[Key]) -> dict[Key, Columns]:
        with self._datastore.transaction(commit=False) as c:
            return self.rows(c, keys)

    def present(self, site: str, project: str) -> list[str]:
        with self._datastore.transaction(commit=False) as c:
            c.execute(f"SELECT issue_id {_OF_PROJECT} = ''", (site, project))
            return [row[0] for row in c.fetchall()]

    def absent(self, site: str, project: str) -> dict[str, str]:
        with self._datastore.transaction(commit=False) as c:
            c.execute(f"SELECT issue_id, absent {_OF_PROJECT} > ''", (site, project))
            return {row[0]: row[1] for row in c.fetchall()}

    def totals(self, site: str, project: str) -> Totals:
        with self._datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT count(*), coalesce(sum(comment_count), 0), coalesce(sum(worklog_count), 0) {_OF_PROJECT} = ''",
                (site, project),
            )
            return Totals(*c.fetchone())

    def lost(self) -> set[UUID]:
        with self._datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT originator_id FROM heads WHERE NOT EXISTS (SELECT 1 FROM stored_events AS event WHERE"
                " event.originator_id = heads.originator_id AND event.originator_version = heads.version)"
            )
            return {UUID(row[0]) for row in c.fetchall()}


def _changed(c: Any) -> bool:
    c.execute("SELECT changes()")
    return bool(c.fetchone()[0])
