"""What a rebuild cannot do without: reading the log, and putting the rows of the tables somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, MetaData, Table, select

from libs.events import EventStore
from libs.read_tables import LIVE
from services.projector.apply import BATCH

Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def read_all(store: EventStore) -> None:
    """Read and decode every event, and do nothing with it."""
    position = 0
    while batch := store.read(position, BATCH):
        position = batch[-1].position


def rows_of(tables: Engine) -> Rows:
    """Everything that the read tables hold."""
    with tables.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(select(table))] for name, table in LIVE.items()}


def insert_all(tables: Engine, rows: Rows) -> None:
    """Put the rows into tables of the same shape, with keys and without indexes, the fastest way each database has."""
    bare = MetaData()
    copies = [table.to_metadata(bare, name=f"bare_{name}") for name, table in LIVE.items()]
    for table in copies:
        table.indexes.clear()
    with tables.begin() as connection:
        bare.create_all(connection)
        driver: Any = connection.connection.driver_connection
        put = _copy if isinstance(driver, psycopg.Connection) else _executemany
        for table in copies:
            put(driver, table, rows[table.name.removeprefix("bare_")])
    with tables.begin() as connection:
        bare.drop_all(connection)


def _copy(driver: Any, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    with driver.cursor() as cursor, cursor.copy(SQL("COPY {} FROM STDIN").format(Identifier(table.name))) as copy:
        for row in rows:
            copy.write_row(row)


def _executemany(driver: Any, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(table.columns))
    driver.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)  # noqa: S608
