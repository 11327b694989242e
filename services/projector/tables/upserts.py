"""The statements that write many rows at once.

An upsert takes effect only where the stored row is older, so the same rows, or older ones, can be written again and
change nothing. The statements are built by SQLAlchemy and handed to the driver as text: on PostgreSQL with one binary
array per column (as text, quoting the JSON in them would take longer than writing it), on SQLite with its executemany,
which is the fastest there is without a network.
"""

import functools
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from services.projector.tables.rows import Key, Row

MAX_VARIABLES: Final = 1000
"""Per statement; both databases take many more, but plans grow with them."""


class Conflict(Enum):
    """What happens to a row whose key is there already."""

    NEWER = "replace it when this one is newer"
    KEEP = "keep it"
    REPLACE = "replace it"
    UNSEEN = "replace it where it stands for what no event of its own was seen of"


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows where they are newer than what is stored. No key twice."""
    _write(connection, table, Conflict.NEWER, rows)


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows whose keys are not there yet."""
    _write(connection, table, Conflict.KEEP, rows)


def overwrite(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows over whatever is stored. No key twice."""
    _write(connection, table, Conflict.REPLACE, rows)


def upsert_unseen(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows that others tell of, unless what they are about has told of itself. No key twice."""
    _write(connection, table, Conflict.UNSEEN, rows)


def move(connection: Connection, source: Table, target: Table, issues: Iterable[Key]) -> None:
    """Take the rows that hang on these issues from one table to its twin."""
    for site, ids in by_site(issues):
        here = (source.c.site == site) & source.c.issue_id.in_(ids)
        insert = _insert(target, Conflict.NEWER, connection.dialect.name)
        connection.execute(insert.from_select(_columns(source), select(source).where(here)))
        connection.execute(source.delete().where(here))


def by_site(keys: Iterable[Key]) -> Iterator[tuple[str, Sequence[str]]]:
    """The ids of each site, sorted, in portions that fit a statement."""
    sites: dict[str, list[str]] = {}
    for site, entity_id in sorted(keys):
        sites.setdefault(site, []).append(entity_id)
    for site, ids in sites.items():
        for start in range(0, len(ids), MAX_VARIABLES):
            yield site, ids[start : start + MAX_VARIABLES]


def _write(connection: Connection, table: Table, conflict: Conflict, rows: Sequence[Row]) -> None:
    if not rows:
        return
    names = _columns(table)
    if connection.dialect.name == "postgresql":
        arrays = {name: [row[name] for row in rows] for name in names}
        connection.exec_driver_sql(_of_arrays(table, conflict), arrays)
    else:
        values = [*map(operator.itemgetter(*names), rows)]
        connection.exec_driver_sql(_of_values(table, conflict), values)


@functools.lru_cache(maxsize=256)
def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


@functools.lru_cache(maxsize=256)
def _of_arrays(table: Table, conflict: Conflict) -> str:
    """For PostgreSQL: one parameter per column, an array with that column of all rows."""
    arrays = (
        func.unnest(cast(bindparam(column.name), postgresql.ARRAY(column.type))).label(column.name)
        for column in table.columns
    )
    insert = _insert(table, conflict, "postgresql").from_select(_columns(table), select(*arrays))
    dialect = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
    statement = str(insert.compile(dialect=dialect))
    return re.sub(r"%\((\w+)\)s", r"%(\1)b", statement)  # b: binary


@functools.lru_cache(maxsize=256)
def _of_values(table: Table, conflict: Conflict) -> str:
    """For SQLite: one `?` per column, in the order of the columns."""
    values: dict[str, Any] = {name: bindparam(name) for name in _columns(table)}
    return str(_insert(table, conflict, "sqlite").values(values).compile(dialect=sqlite.dialect()))


def _insert(table: Table, conflict: Conflict, dialect: str) -> Any:
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    if conflict is Conflict.KEEP:
        return insert.on_conflict_do_nothing()
    excluded = insert.excluded
    replaced = {
        Conflict.NEWER: table.c.version < excluded.version,
        Conflict.UNSEEN: table.c.version == literal_column("0"),
    }
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column.name: excluded[column.name] for column in table.columns if not column.primary_key},
        where=replaced.get(conflict),
    )
