"""The statements that write many rows at once.

An upsert takes effect only where the stored row is older, so the same rows, or older ones, can be written again and
change nothing. On PostgreSQL the rows travel as one array per column, which costs a third of the driver's own
executemany; on SQLite, without a network, executemany is the fastest there is.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Insert, Table, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite

from services.projector.changes import Key, Row

Tables = Mapping[str, Table]
"""Live name -> table: the live ones, or those of a generation beside them."""

MAX_VARIABLES: Final = 1000
"""Per statement; both databases take many more, but plans grow with them."""


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows where they are newer than what is stored. No key twice."""
    _write(connection, _upsert(table, connection.dialect.name), table, rows)


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows whose keys are not there yet."""
    _write(connection, _insert(table, connection.dialect.name), table, rows)


def overwrite(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows over whatever is stored."""
    _write(connection, _overwrite(table, connection.dialect.name), table, rows)


def move(connection: Connection, source: Table, target: Table, issues: Iterable[Key]) -> None:
    """Take the rows that hang on these issues from one table to its twin."""
    for site, ids in by_site(issues):
        here = (source.c.site == site) & source.c.issue_id.in_(ids)
        names = [column.name for column in source.columns]
        copied = _guarded(target, connection.dialect.name).from_select(names, select(source).where(here))
        connection.execute(copied)
        connection.execute(source.delete().where(here))


def by_site(keys: Iterable[Key]) -> Iterator[tuple[str, Sequence[str]]]:
    """The ids of each site, sorted, in portions that fit a statement."""
    sites: dict[str, list[str]] = {}
    for site, entity_id in sorted(keys):
        sites.setdefault(site, []).append(entity_id)
    for site, ids in sites.items():
        for start in range(0, len(ids), MAX_VARIABLES):
            yield site, ids[start : start + MAX_VARIABLES]


def _write(connection: Connection, statement: Any, table: Table, rows: Sequence[Row]) -> None:
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(statement, {column.name: [row[column.name] for row in rows] for column in table.columns})
    else:
        connection.execute(statement, rows)


@functools.lru_cache(maxsize=256)
def _upsert(table: Table, dialect: str) -> Insert:
    return _fed(_guarded(table, dialect), table, dialect)


@functools.lru_cache(maxsize=256)
def _insert(table: Table, dialect: str) -> Insert:
    return _fed(_insert_into(table, dialect).on_conflict_do_nothing(), table, dialect)


@functools.lru_cache(maxsize=256)
def _overwrite(table: Table, dialect: str) -> Insert:
    insert = _insert_into(table, dialect)
    changed = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=_others(table, insert.excluded))
    return _fed(changed, table, dialect)


def _guarded(table: Table, dialect: str) -> Any:
    insert = _insert_into(table, dialect)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_=_others(table, insert.excluded),
        where=table.c.version < insert.excluded.version,
    )


def _insert_into(table: Table, dialect: str) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _others(table: Table, excluded: Any) -> dict[str, Any]:
    return {column.name: excluded[column.name] for column in table.columns if not column.primary_key}


def _fed(insert: Any, table: Table, dialect: str) -> Insert:
    """The statement with its source of rows: one array per column, or one set of values per execution."""
    names = [column.name for column in table.columns]
    if dialect != "postgresql":
        fed: Insert = insert.values({name: bindparam(name) for name in names})
        return fed
    arrays = (
        func.unnest(cast(bindparam(column.name), postgresql.ARRAY(column.type))).label(column.name)
        for column in table.columns
    )
    selected: Insert = insert.from_select(names, select(*arrays))
    return selected
