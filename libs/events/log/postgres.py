"""The log on PostgreSQL: the library's recorder, with a plain transaction in place of its pipeline.

The library's pipeline hangs on batches of this size (the client waits to read with unsent output). The table lock
stays: it makes commit order the order of positions, so a reader that follows never passes a gap that fills later.
"""

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresFactory
from eventsourcing.utils import Environment
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg.sql import SQL, Composed, Identifier

from libs.events.log.batches import Batch, Head, NewRow, StoredRow
from libs.events.log.inventory.folding import Facts
from libs.events.log.inventory.postgres import SCHEMA as INVENTORY
from libs.events.log.inventory.postgres import PostgresInventory

MIGRATION_LOCK = 7_236_114_001
"""Advisory lock: several processes that create tables at once would fail on one another."""

RECHECK_SECONDS = 1.0
"""A notification can be lost with its connection; the reader looks again at least this often."""

CONNECT_SECONDS = 10
IDLE_IN_TRANSACTION_SECONDS = 60
"""A writer whose machine is gone must not hold the table lock for ever."""
PROOF_LOCK_MS = 1000
"""A proof that the log can be appended to waits so long for a lock that an append would wait for longer."""
PROOF_ROWS = 40_000
"""Rows that the server does not keep in memory: about a megabyte."""
WORTH_A_COPY = 32
"""Rows from which on the server takes less time for a COPY than for an INSERT, which is one round trip less."""
POOL_SIZE = 15
"""Most connections of one process; readers that wait hold one each."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS {schema}.heads (originator_id uuid PRIMARY KEY, version bigint NOT NULL,"
    " digest bytea NOT NULL, updated text NOT NULL) WITH (fillfactor=80)",
    'CREATE TABLE IF NOT EXISTS {schema}.marks (name text COLLATE "C" PRIMARY KEY, value bytea NOT NULL,'
    " updated_at text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS {schema}.once (key text PRIMARY KEY, outcome bytea NOT NULL,"
    " recorded_at text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS {schema}.log_schema (version int NOT NULL)",
)


def libpq_url(url: str) -> str:
    """The address without the name of a driver, as libpq wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _copy(c: Any, statement: Composed, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    with c.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


class PostgresLogFactory(PostgresFactory):
    """The library's factory, connecting with everything the URL says: sockets, TLS, several hosts, options.

    The library itself knows five parts of an address only, and would connect without TLS where `sslmode` asks for it.
    """

    def __init__(self, env: Environment, url: str) -> None:
        unused = dict.fromkeys(("POSTGRES_DBNAME", "POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD"), "")
        super().__init__(Environment(env.name, {**env, **unused}))
        self.datastore.idle_in_transaction_session_timeout = IDLE_IN_TRANSACTION_SECONDS
        self.datastore.pool = self._pool(url)

    def _pool(self, url: str) -> ConnectionPool[Connection[DictRow]]:
        def check(connection: Connection[Any]) -> None:
            # When one is dead, the server has restarted and all are. The pool would find out one by one, with pauses
            # that double: half a minute for five connections.
            try:
                ConnectionPool.check_connection(connection)
            except psycopg.Error:
                pool.drain()
                raise

        defaults: dict[str, Any] = {"application_name": "jdi-events", "connect_timeout": CONNECT_SECONDS}
        pool = ConnectionPool(
            make_conninfo(**{**defaults, **conninfo_to_dict(libpq_url(url))}),
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=POOL_SIZE,
            open=False,
            configure=self.datastore.after_connect_func(),
            check=check,
            timeout=CONNECT_SECONDS,
        )
        return pool


class PostgresLog(PostgresApplicationRecorder):
    """Recorder of the event log on PostgreSQL."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._over = False
        names = {"schema": Identifier(self.datastore.schema), "events": Identifier(self.events_table_name)}
        self.sql_create_statements += [SQL(statement).format(**names) for statement in (*SCHEMA, *INVENTORY)]
        self._insert_statement = SQL(
            "INSERT INTO {schema}.{events} (originator_id, originator_version, topic, state)"
            " SELECT * FROM unnest(%b::uuid[], %b::int8[], %b::text[], %b::bytea[]) RETURNING notification_id"
        ).format(**names)
        self._new_heads_statement: Composed = SQL(
            "INSERT INTO {schema}.heads SELECT * FROM unnest(%b::uuid[], %b::int8[], %b::bytea[], %b::text[])"
        ).format(**names)
        # A head never goes back: whoever refreshes a digest may have read the head before another one appended.
        self._heads_statement: Composed = self._new_heads_statement + SQL(
            " ON CONFLICT (originator_id) DO UPDATE SET version = excluded.version, digest = excluded.digest,"
            " updated = excluded.updated WHERE excluded.version >= heads.version"
        )
        self._superseded_statement = SQL(
            "SELECT earlier.notification_id FROM {schema}.{events} AS later JOIN {schema}.{events} AS earlier"
            " ON earlier.originator_id = later.originator_id"
            " AND earlier.originator_version = later.originator_version - 1"
            " WHERE later.originator_version > 1 AND later.notification_id <= %b"
        ).format(**names)
        self._copy_statement = SQL(
            "COPY {schema}.{events} (originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)"
        ).format(**names)
        self._copy_heads_statement = SQL("COPY {schema}.heads FROM STDIN (FORMAT BINARY)").format(**names)
        self._last_statement = SQL(
            "SELECT notification_id FROM {schema}.{events} ORDER BY notification_id DESC LIMIT %b"
        ).format(**names)
        self._schema = names["schema"]
        self._rows_statement: Composed = SQL(
            "SELECT notification_id, originator_id, originator_version, topic, state FROM {schema}.{events}"
            " WHERE notification_id > %b"
        ).format(**names)
        self._before_statement = SQL(
            "SELECT before.* FROM unnest(%b::uuid[], %b::int8[]) AS asked (stream, version), LATERAL ("
            "SELECT originator_id, originator_version, topic, state FROM {schema}.{events} WHERE originator_id = stream"
            " AND originator_version < version ORDER BY originator_version DESC LIMIT 1) AS before"
        ).format(**names)
        self.inventory = PostgresInventory(self.datastore, self.events_table_name)

    def set_schema_version(self, version: int) -> None:
        with self.datastore.transaction(commit=True) as c:
            c.execute(SQL("DELETE FROM {}.log_schema").format(self._schema))
            c.execute(SQL("INSERT INTO {}.log_schema VALUES (%s)").format(self._schema), (version,))

    def schema_version(self) -> int | None:
        """The version that `migrate` wrote; None when it never ran."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT to_regclass(%s) AS found", (f"{self.datastore.schema}.log_schema",))
            row = c.fetchone()
            if row is None or row["found"] is None:
                return None
            c.execute(SQL("SELECT version FROM {}.log_schema").format(self._schema))
            row = c.fetchone()
            return None if row is None else int(row["version"])

    def heads(self, streams: Sequence[UUID]) -> dict[UUID, Head]:
        with self.datastore.get_connection() as conn, conn.cursor(binary=True) as c:
            c.execute(
                SQL("SELECT * FROM {}.heads WHERE originator_id = ANY(%b)").format(self._schema), (list(streams),)
            )
            return {
                row["originator_id"]: Head.from_row(row["version"], bytes(row["digest"]), row["updated"])
                for row in c.fetchall()
            }

    def insert_events(self, stored_events: Sequence[Any], **kwargs: Any) -> Sequence[int]:
        """Store a batch: rows of new events, and what is written beside them. Gives the positions of the events."""
        rows: Sequence[NewRow] = stored_events
        batch: Batch = kwargs["batch"]
        with self.datastore.get_connection() as conn, conn.transaction(), conn.cursor(binary=True) as c:
            # First of all, and for batches without events too: writers that come one after another cannot deadlock
            # over the rows of heads and checkpoints.
            self._lock_table(c)
            if batch.idempotency_key is not None:
                c.execute(
                    SQL("INSERT INTO {}.once VALUES (%s,%s,%s)").format(self._schema),
                    (batch.idempotency_key, batch.outcome, batch.at),
                )
            # Before the events: a batch that is refused for a head that is there has used up no positions.
            self._write_heads(c, batch)
            positions = self._insert_rows(c, rows) if rows else []
            self._write_checkpoints(c, batch)
            if positions:
                self.inventory.follow(c, positions[0], positions[-1], batch.facts)
        return positions

    def _write_heads(self, c: Any, batch: Batch) -> None:
        known, new = ([(stream, *head.row()) for stream, head in heads] for heads in (batch.heads, batch.new_heads))
        if len(new) >= WORTH_A_COPY:
            _copy(c, self._copy_heads_statement, ("uuid", "int8", "bytea", "text"), new)
        elif new:
            c.execute(self._new_heads_statement, _columns(new))
        if known:
            c.execute(self._heads_statement, _columns(known))

    def rows_after(self, after: int, limit: int, stop: int | None, topics: Sequence[str]) -> list[StoredRow]:
        """The rows after a position, in order: the library makes an object of each, and reads the bytes as text."""
        statement = self._rows_statement
        values: list[Any] = [after]
        if stop is not None:
            statement += SQL(" AND notification_id <= %b")
            values.append(stop)
        if topics:
            statement += SQL(" AND topic = ANY(%b)")
            values.append(list(topics))
        statement += SQL(" ORDER BY notification_id LIMIT %b")
        with self.datastore.get_connection() as conn, conn.cursor(binary=True, row_factory=tuple_row) as c:
            c.execute(statement, (*values, limit))
            return c.fetchall()

    def superseded(self, head: int) -> "array[int]":
        """The positions of all events in whose stream another one follows by `head`."""
        with self.datastore.get_connection() as conn, conn.cursor(binary=True, row_factory=tuple_row) as c:
            c.execute(self._superseded_statement, (head,))
            return array("q", [position for (position,) in c])

    def catch_up_inventory(self, after: int, upto: int, facts: Facts) -> None:
        with self.datastore.get_connection() as conn, conn.transaction(), conn.cursor(binary=True) as c:
            self._lock_table(c)
            self.inventory.catch_up(c, after, upto, facts)

    def last_before(self, versions: Mapping[UUID, int]) -> list[StoredEvent]:
        """Of each stream the last event before a version."""
        if not versions:
            return []
        with self.datastore.get_connection() as conn, conn.cursor(binary=True) as c:
            c.execute(self._before_statement, (list(versions), list(versions.values())))
            return [
                StoredEvent(row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"]))
                for row in c.fetchall()
            ]

    def _insert_rows(self, c: Any, rows: Sequence[NewRow]) -> list[int]:
        self._notify_channel(c)
        if len(rows) < WORTH_A_COPY:
            c.execute(self._insert_statement, _columns(rows))
            return [row["notification_id"] for row in c.fetchall()]
        _copy(c, self._copy_statement, ("uuid", "int8", "text", "bytea"), rows)
        # Ours is the one transaction that has the lock, so the rows just written are the last ones.
        c.execute(self._last_statement, (len(rows),))
        return [row["notification_id"] for row in reversed(c.fetchall())]

    def _write_checkpoints(self, c: Any, batch: Batch) -> None:
        for name in batch.forget:
            if name.endswith("*"):
                c.execute(SQL("DELETE FROM {}.marks WHERE starts_with(name, %s)").format(self._schema), (name[:-1],))
            else:
                c.execute(SQL("DELETE FROM {}.marks WHERE name = %s").format(self._schema), (name,))
        for checkpoints, on_conflict in (
            (batch.checkpoints, SQL("UPDATE SET value = excluded.value, updated_at = excluded.updated_at")),
            (batch.new_checkpoints, SQL("NOTHING")),
        ):
            if checkpoints:
                c.execute(
                    SQL(
                        "INSERT INTO {}.marks SELECT name, value, %s FROM unnest(%b::text[], %b::bytea[])"
                        " AS new (name, value) ON CONFLICT (name) DO {}"
                    ).format(self._schema, on_conflict),
                    (batch.at, list(checkpoints), list(checkpoints.values())),
                )

    def outcome(self, idempotency_key: str) -> bytes | None:
        return self._value("SELECT outcome AS value FROM {}.once WHERE key = %s", idempotency_key)

    def checkpoint(self, name: str) -> bytes | None:
        return self._value("SELECT value FROM {}.marks WHERE name = %s", name)

    def _value(self, statement: str, key: str) -> bytes | None:
        with self.datastore.get_connection() as conn, conn.cursor() as c:
            c.execute(SQL(statement).format(self._schema), (key,))
            row = c.fetchone()
            return None if row is None else bytes(row["value"])

    def checkpoints(self, prefix: str) -> dict[str, bytes]:
        with self.datastore.get_connection() as conn, conn.cursor() as c:
            c.execute(
                SQL("SELECT name, value FROM {}.marks WHERE starts_with(name, %s) ORDER BY name").format(self._schema),
                (prefix,),
            )
            return {row["name"]: bytes(row["value"]) for row in c.fetchall()}

    def checkpoints_named(self, names: Sequence[str]) -> dict[str, bytes]:
        with self.datastore.get_connection() as conn, conn.cursor() as c:
            c.execute(SQL("SELECT name, value FROM {}.marks WHERE name = ANY(%s)").format(self._schema), (list(names),))
            return {row["name"]: bytes(row["value"]) for row in c.fetchall()}

    def prove_append(self, name: str, at: str) -> None:
        """Write a mark behind the lock of the events, and have the server put something on its disk beside it.

        A mark fits into a page that is there already. What does not fit into memory goes to a file, which is gone after
        the statement.
        """
        with self.datastore.get_connection() as conn, conn.transaction(), conn.cursor() as c:
            c.execute(SQL("SET LOCAL lock_timeout = '{}ms'").format(PROOF_LOCK_MS))
            c.execute(SQL("SET LOCAL work_mem = '64kB'"))
            c.execute(
                SQL("LOCK TABLE {}.{} IN EXCLUSIVE MODE").format(
                    Identifier(self.datastore.schema), Identifier(self.events_table_name)
                )
            )
            c.execute(
                SQL(
                    "INSERT INTO {}.marks VALUES (%s, '', %s)"
                    " ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at"
                ).format(self._schema),
                (name, at),
            )
            c.execute("SELECT count(*) FROM generate_series(1, %s)", (PROOF_ROWS,))

    def unsound_streams(self) -> int:
        with self.datastore.get_connection() as conn, conn.cursor() as c:
            c.execute(
                SQL(
                    "SELECT count(*) AS found FROM (SELECT originator_id, max(originator_version) AS version"
                    " FROM {schema}.{events} GROUP BY originator_id) AS last"
                    " LEFT JOIN {schema}.heads USING (originator_id)"
                    " WHERE heads.version IS NULL OR heads.version <> last.version"
                ).format(schema=self._schema, events=Identifier(self.events_table_name))
            )
            row = c.fetchone()
            return 0 if row is None else int(row["found"])

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the migration lock."""
        with self.datastore.get_connection() as conn:
            conn.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            try:
                yield
            finally:
                conn.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until the log is longer than `after`, at most `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self.datastore.get_connection() as conn:
            conn.execute(SQL("LISTEN {}").format(Identifier(self.channel_name)))
            try:
                while (self.max_notification_id() or 0) <= after:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0 or self._over:
                        return False
                    for _ in conn.notifies(timeout=min(remaining, RECHECK_SECONDS), stop_after=1):
                        pass
                return True
            finally:
                conn.execute("UNLISTEN *")

    def wake(self) -> None:
        """End all waiting, at its next look."""
        self._over = True

    def close(self) -> None:
        self.datastore.close()
