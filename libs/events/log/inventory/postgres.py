"""The inventory on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.postgres import PostgresDatastore
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from libs.events.log.inventory.folding import Key, Totals
from libs.events.log.inventory.table import Columns, InventoryTable, by_key

SCHEMA = (
    'CREATE TABLE IF NOT EXISTS {schema}.inventory (site text COLLATE "C" NOT NULL, issue_id text COLLATE "C" NOT NULL,'
    ' project text COLLATE "C" NOT NULL, absent text COLLATE "C" NOT NULL, comments bytea NOT NULL,'
    " worklogs bytea NOT NULL, comment_count bigint NOT NULL, worklog_count bigint NOT NULL,"
    " PRIMARY KEY (site, issue_id)) WITH (fillfactor=80)",
    "CREATE INDEX IF NOT EXISTS inventory_of_project ON {schema}.inventory (site, project, absent, issue_id)",
    "CREATE TABLE IF NOT EXISTS {schema}.inventory_mark (id int PRIMARY KEY CHECK (id = 1), position bigint NOT NULL)",
    "INSERT INTO {schema}.inventory_mark VALUES (1, 0) ON CONFLICT DO NOTHING",
)

_COLUMNS = ("text", "text", "text", "text", "bytea", "bytea", "bigint", "bigint")
_OF_PROJECT = "FROM {schema}.inventory WHERE site = %s AND project = %s AND absent"


class PostgresInventory(InventoryTable):
    """The table in a schema."""

    def __init__(self, datastore: PostgresDatastore, events_table: str) -> None:
        super().__init__()
        self._datastore = datastore
        self._names = {"schema": Identifier(datastore.schema), "events": Identifier(events_table)}

    def is_there(self, c: Any) -> bool:
        c.execute("SELECT to_regclass(%s) AS found", (f"{self._datastore.schema}.inventory_mark",))
        return c.fetchone()["found"] is not None

    def move_on(self, c: Any, first: int, last: int) -> bool:
        c.execute(
            self._sql(
                "UPDATE {schema}.inventory_mark SET position = %s WHERE position >="
                " (SELECT coalesce(max(notification_id), 0) FROM {schema}.{events} WHERE notification_id < %s)"
            ),
            (last, first),
        )
        return bool(c.rowcount)

    def move(self, c: Any, after: int, upto: int) -> bool:
        c.execute(self._sql("UPDATE {schema}.inventory_mark SET position = %s WHERE position = %s"), (upto, after))
        return bool(c.rowcount)

    def clear(self, c: Any) -> None:
        c.execute(self._sql("DELETE FROM {schema}.inventory"))

    def rows(self, c: Any, keys: Collection[Key]) -> dict[Key, Columns]:
        found: dict[Key, Columns] = {}
        for site in {site for site, _ in keys}:
            # Not joined with the keys: before the server has counted its rows, it would read the whole table for that.
            c.execute(
                self._sql("SELECT * FROM {schema}.inventory WHERE site = %b AND issue_id = ANY(%b::text[])"),
                (site, [issue for at, issue in keys if at == site]),
            )
            found |= by_key(tuple(row.values()) for row in c.fetchall())
        return found

    def write(self, c: Any, rows: Sequence[Columns]) -> None:
        if not rows:
            return
        arrays = ", ".join(f"%b::{kind}[]" for kind in _COLUMNS)
        c.execute(
            self._sql(
                f"INSERT INTO {{schema}}.inventory SELECT * FROM unnest({arrays}) ON CONFLICT (site, issue_id)"  # noqa: S608
                " DO UPDATE SET project = excluded.project, absent = excluded.absent, comments = excluded.comments,"
                " worklogs = excluded.worklogs, comment_count = excluded.comment_count,"
                " worklog_count = excluded.worklog_count"
            ),
            [list(column) for column in zip(*rows, strict=True)],
        )

    def mark(self) -> int | None:
        with self._datastore.transaction(commit=False) as c:
            if not self.is_there(c):
                return None
            c.execute(self._sql("SELECT position FROM {schema}.inventory_mark"))
            return int(c.fetchone()["position"])  # type: ignore[index]

    def held(self, keys: Collection[Key]) -> dict[Key, Columns]:
        with self._datastore.get_connection() as conn, conn.cursor(binary=True) as c:
            return self.rows(c, keys)

    def present(self, site: str, project: str) -> list[str]:
        return [row[0] for row in self._read(f"SELECT issue_id {_OF_PROJECT} = ''", site, project)]

    def absent(self, site: str, project: str) -> dict[str, str]:
        return dict(self._read(f"SELECT issue_id, absent {_OF_PROJECT} > ''", site, project))

    def totals(self, site: str, project: str) -> Totals:
        (row,) = self._read(
            "SELECT count(*), coalesce(sum(comment_count), 0)::bigint, coalesce(sum(worklog_count), 0)::bigint"
            f" {_OF_PROJECT} = ''",
            site,
            project,
        )
        return Totals(*row)

    def lost(self) -> set[UUID]:
        statement = (
            "SELECT head.originator_id FROM {schema}.heads AS head LEFT JOIN {schema}.{events} AS event ON"
            " (event.originator_id, event.originator_version) = (head.originator_id, head.version)"
            " WHERE event.topic IS NULL"
        )
        return {row[0] for row in self._read(statement)}

    def _read(self, statement: str, *values: str) -> list[Any]:
        with self._datastore.get_connection() as conn, conn.cursor(row_factory=tuple_row) as c:
            c.execute(self._sql(statement), values)
            return c.fetchall()

    def _sql(self, statement: str) -> Any:
        return SQL(statement).format(**self._names)
