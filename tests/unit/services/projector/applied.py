"""Read tables in memory: given these events, the tables hold those rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, select
from sqlalchemy.pool import NullPool, StaticPool

from libs.events import Event, Recorded
from libs.read_tables import FOLDED, LIVE, metadata
from services.projector.apply import parked_streams
from services.projector.projections import collect
from services.projector.write import write
from tests.unit.made.build import recorded

Dump = Mapping[str, list[tuple[Any, ...]]]


@contextmanager
def empty_tables() -> Iterator[Connection]:
    """Tables of one's own, thousands of times over: each is a copy, and what was compiled for one serves all."""
    with _engine().begin() as connection:
        yield connection


@cache
def _engine() -> Engine:
    """Every connection of it is a database of its own, which is gone when the connection is closed."""
    first = create_engine("sqlite://", poolclass=StaticPool)
    with first.begin() as connection:
        metadata.create_all(connection)
    with first.connect() as connection:
        image = _raw(connection).serialize()
    first.dispose()

    def copied() -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        copy.deserialize(image)
        return copy

    return create_engine("sqlite://", poolclass=NullPool, creator=copied)


def _raw(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def apply(connection: Connection, batch: Sequence[Recorded]) -> None:
    write(connection, LIVE, collect(batch, parked_streams(connection, LIVE)))


def rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    """All rows of a table, sorted by key."""
    found = select(LIVE[table]).order_by(*LIVE[table].primary_key)
    return [dict(row) for row in connection.execute(found).mappings()]


def dump(connection: Connection) -> Dump:
    """Every row of every table that is made of events."""
    return {
        name: [tuple(row) for row in connection.execute(select(LIVE[name]).order_by(*LIVE[name].primary_key))]
        for name in FOLDED
    }


def after(*events: Event) -> Connection:
    """The tables after these events, applied in one batch. The connection lives as long as it is referred to."""
    context = empty_tables()
    connection = context.__enter__()
    connection.info["context"] = context
    apply(connection, recorded(events))
    return connection
