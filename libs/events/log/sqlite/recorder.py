"""The log on SQLite: the library's recorder; heads, checkpoints and idempotency keys share the events' transaction.

SQLite has one writer at a time, so commit order is position order. The newest row must never be deleted: its id would
be given out again.
"""

import fcntl
import os
import sqlite3
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor

from libs.events.bell import Bell, Ear
from libs.events.log.batches import Batch, Head, NewRow, StoredRow
from libs.events.log.inventory.folding import Facts
from libs.events.log.inventory.sqlite import SCHEMA as INVENTORY
from libs.events.log.inventory.sqlite import SQLiteInventory
from libs.events.log.sqlite.files import OpenedFile, address_of, file_at
from libs.events.log.sqlite.writer import Writer

POLL_SECONDS = 0.02
"""How often a waiting reader that hears no bell asks whether the file has changed: a look at a counter in memory."""

DEAF_SECONDS = 60.0
"""For so long a reader looks that often, after it has found something of which no bell has told."""

PROOF_LOCK_SECONDS = 1.0
"""A proof that the log can be appended to waits so long for a lock that an append would wait for longer."""

MAX_VARIABLES = 500

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS heads (originator_id TEXT PRIMARY KEY, version INTEGER NOT NULL,"
    " digest BLOB NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value BLOB NOT NULL, updated_at TEXT NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS once (key TEXT PRIMARY KEY, outcome BLOB NOT NULL, recorded_at TEXT NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS log_schema (version INTEGER NOT NULL)",
)


class SQLiteLog(SQLiteApplicationRecorder):
    """Recorder of the event log on SQLite; its datastore is named by `address_of`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address = self.datastore.pool.db_name
        self.file = OpenedFile(file_at(address))
        self.inventory = SQLiteInventory(self.datastore)
        self._writer = Writer(address)
        self._deaf_until = 0.0
        self._over = False

    @cached_property
    def _bell(self) -> Bell:
        """Rung after each append."""
        return Bell(self.file.path.with_name(f"{self.file.path.name}.bell"))

    def construct_create_table_statements(self) -> list[str]:
        return [*super().construct_create_table_statements(), *SCHEMA, *INVENTORY]

    def set_schema_version(self, version: int) -> None:
        with self.datastore.transaction(commit=True) as c:
            c.execute("DELETE FROM log_schema")
            c.execute("INSERT INTO log_schema VALUES (?)", (version,))

    def schema_version(self) -> int | None:
        """The version that `migrate` wrote; None when it never ran."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT 1 FROM sqlite_master WHERE name = 'log_schema'")
            if c.fetchone() is None:
                return None
            c.execute("SELECT version FROM log_schema")
            row = c.fetchone()
        self.file.remember()
        return None if row is None else int(row[0])

    def heads(self, streams: Sequence[UUID]) -> dict[UUID, Head]:
        found: dict[UUID, Head] = {}
        with self.datastore.transaction(commit=False) as c:
            for start in range(0, len(streams), MAX_VARIABLES):
                part = [stream.hex for stream in streams[start : start + MAX_VARIABLES]]
                c.execute(f"SELECT * FROM heads WHERE originator_id IN ({','.join('?' * len(part))})", part)  # noqa: S608
                found.update({UUID(row[0]): Head.from_row(*row[1:]) for row in c.fetchall()})
        return found

    def insert_events(self, stored_events: Sequence[Any], **kwargs: Any) -> Sequence[int]:
        """Store a batch: rows of new events, and what is written beside them. Gives the positions of the events."""
        rows: Sequence[NewRow] = stored_events
        batch: Batch = kwargs["batch"]
        self.file.check()
        with self._writer.transaction() as c:
            if batch.idempotency_key is not None:
                c.execute("INSERT INTO once VALUES (?,?,?)", (batch.idempotency_key, batch.outcome, batch.at))
            positions = self._insert_rows(c, rows)
            c.executemany(
                "INSERT INTO heads VALUES (?,?,?,?)", [(stream.hex, *head.row()) for stream, head in batch.new_heads]
            )
            # A head never goes back: whoever refreshes a digest may have read the head before another one appended.
            c.executemany(
                "INSERT INTO heads VALUES (?,?,?,?) ON CONFLICT (originator_id) DO UPDATE SET"
                " version = excluded.version, digest = excluded.digest, updated = excluded.updated"
                " WHERE excluded.version >= heads.version",
                [(stream.hex, *head.row()) for stream, head in batch.heads],
            )
            self._write_checkpoints(c, batch)
            if positions:
                self.inventory.follow(c, positions[0], positions[-1], batch.facts)
        if positions:
            self._bell.ring()
        return positions

    def rows_after(self, after: int, limit: int, stop: int | None, topics: Sequence[str]) -> list[StoredRow]:
        """The rows after a position, in order: the library makes an object of each, which takes longer than reading."""
        statement, values = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events", [after]
        where = "rowid > ?"
        if stop is not None:
            where += " AND rowid <= ?"
            values.append(stop)
        if topics:
            where += f" AND topic IN ({','.join('?' * len(topics))})"
        with self.datastore.transaction(commit=False) as c:
            cursor: Any = c
            cursor.row_factory = None
            cursor.execute(f"{statement} WHERE {where} ORDER BY rowid LIMIT ?", (*values, *topics, limit))
            rows: list[StoredRow] = cursor.fetchall()
            return rows

    def superseded(self, head: int) -> "array[int]":
        """The positions of all events in whose stream another one follows by `head`."""
        with self.datastore.transaction(commit=False) as c:
            cursor: Any = c
            cursor.row_factory = None
            # The later ones are asked for the earlier: most streams of a young log have one event.
            cursor.execute(
                "SELECT earlier.rowid FROM stored_events AS later CROSS JOIN stored_events AS earlier"
                " ON earlier.originator_id = later.originator_id"
                " AND earlier.originator_version = later.originator_version - 1"
                " WHERE later.originator_version > 1 AND later.rowid <= ?",
                (head,),
            )
            return array("q", [position for (position,) in cursor.fetchall()])

    def catch_up_inventory(self, after: int, upto: int, facts: Facts) -> None:
        self.file.check()
        with self._writer.transaction() as c:
            self.inventory.catch_up(c, after, upto, facts)

    def last_before(self, versions: Mapping[UUID, int]) -> list[StoredEvent]:
        """Of each stream the last event before a version."""
        found: list[StoredEvent] = []
        with self.datastore.transaction(commit=False) as c:
            for stream, version in versions.items():
                c.execute(
                    "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ?"
                    " AND originator_version < ? ORDER BY originator_version DESC LIMIT 1",
                    (stream.hex, version),
                )
                found += [StoredEvent(stream, *row) for row in c.fetchall()]
        return found

    def _write_checkpoints(self, c: SQLiteCursor, batch: Batch) -> None:
        for name in batch.forget:
            if name.endswith("*"):
                # A range instead of LIKE, which would read % and _ of a name as wildcards.
                c.execute("DELETE FROM marks WHERE name >= ? AND name < ?", prefix_range(name[:-1]))
            else:
                c.execute("DELETE FROM marks WHERE name = ?", (name,))
        for checkpoints, on_conflict in (
            (batch.checkpoints, "UPDATE SET value = excluded.value, updated_at = excluded.updated_at"),
            (batch.new_checkpoints, "NOTHING"),
        ):
            c.executemany(
                f"INSERT INTO marks VALUES (?,?,?) ON CONFLICT (name) DO {on_conflict}",  # noqa: S608
                [(name, value, batch.at) for name, value in checkpoints.items()],
            )

    def _insert_rows(self, c: SQLiteCursor, rows: Sequence[NewRow]) -> Sequence[int]:
        if not rows:
            return []
        c.executemany(self.insert_events_statement, [(stream.hex, *row) for stream, *row in rows])
        # Ours is the one writing transaction, so the rows just written are the last ones, in order.
        c.execute(self.select_max_notification_id_statement)
        last = int(c.fetchone()[0])
        return range(last - len(rows) + 1, last + 1)

    def outcome(self, idempotency_key: str) -> bytes | None:
        return self._value("SELECT outcome FROM once WHERE key = ?", idempotency_key)

    def checkpoint(self, name: str) -> bytes | None:
        return self._value("SELECT value FROM marks WHERE name = ?", name)

    def _value(self, statement: str, key: str) -> bytes | None:
        with self.datastore.transaction(commit=False) as c:
            c.execute(statement, (key,))
            row = c.fetchone()
            return None if row is None else bytes(row[0])

    def checkpoints(self, prefix: str) -> dict[str, bytes]:
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT name, value FROM marks WHERE name >= ? AND name < ? ORDER BY name", prefix_range(prefix))
            return {row[0]: bytes(row[1]) for row in c.fetchall()}

    def checkpoints_named(self, names: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with self.datastore.transaction(commit=False) as c:
            for start in range(0, len(names), MAX_VARIABLES):
                some = names[start : start + MAX_VARIABLES]
                marks = ", ".join("?" * len(some))
                c.execute(f"SELECT name, value FROM marks WHERE name IN ({marks})", tuple(some))  # noqa: S608
                found |= {row[0]: bytes(row[1]) for row in c.fetchall()}
        return found

    def prove_append(self, name: str, at: str) -> None:
        """Write a mark, on a connection of its own: whether a file is there, what it allows, and who holds its lock."""
        self.file.check()
        address = address_of(self.file.path)
        with closing(sqlite3.connect(address, uri=True, timeout=PROOF_LOCK_SECONDS)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO marks VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at",
                (name, b"", at),
            )
            connection.execute("COMMIT")

    def unsound_streams(self) -> int:
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT count(*) FROM (SELECT originator_id, max(originator_version) AS version FROM stored_events"
                " GROUP BY originator_id) AS last LEFT JOIN heads USING (originator_id)"
                " WHERE heads.version IS NULL OR heads.version <> last.version"
            )
            return int(c.fetchone()[0])

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the migration lock, a file beside the log.

        The database cannot do it itself: the switch to WAL fails at once while another process has the file open.
        """
        handle = os.open(f"{self.file.path}.migrate.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until the log is longer than `after`, at most `timeout` seconds."""
        ear = None if time.monotonic() < self._deaf_until else self._bell.listen()
        try:
            with self.datastore.get_connection(commit=False) as connection:
                return self._wait(connection.cursor(), after, time.monotonic() + timeout, ear)
        finally:
            if ear is not None:
                self._bell.give_back(ear)

    def _wait(self, cursor: SQLiteCursor, after: int, deadline: float, ear: Ear | None) -> bool:
        seen: int | None = None
        while True:
            heard = ear is not None and ear.heard()
            cursor.execute("PRAGMA data_version")
            version = cursor.fetchone()[0]
            if version != seen:
                cursor.execute(self.select_max_notification_id_statement)
                if (cursor.fetchone()[0] or 0) > after:
                    if seen is not None and ear is not None and not (heard or ear.heard()):
                        # Its writer has died before it could ring, or is of a version that has no bell.
                        self._deaf_until = time.monotonic() + DEAF_SECONDS
                    return True
                seen = version
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._over:
                return False
            if ear is None:
                time.sleep(min(POLL_SECONDS, remaining))
            else:
                ear.wait(remaining)

    def wake(self) -> None:
        """End all waiting."""
        self._over = True
        self._bell.ring()

    def close(self) -> None:
        self._bell.close()
        self._writer.close()
        self.datastore.close()


def prefix_range(prefix: str) -> tuple[str, str]:
    """The bounds of all names that begin with `prefix`."""
    return prefix, prefix + "\U0010ffff"
