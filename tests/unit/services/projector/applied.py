"""Read tables in memory: given these events, the tables hold those rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, select
from sqlalchemy.pool import StaticPool

from libs.events import Event, Recorded
from libs.read_tables import FOLDED, LIVE, metadata
from services.projector.apply import parked_streams
from services.projector.projections import collect
from services.projector.write import write
from tests.unit.made.build import recorded

Dump = Mapping[str, list[tuple[Any, ...]]]


@contextmanager
def empty_tables() -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


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
