"""How the read tables are read: in one place, in threads, and only as far as the one who asks may see."""

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from sqlalchemy import ColumnElement, Engine, Select, Table, and_, event, exists, false, true, tuple_
from sqlalchemy.exc import DataError

from libs.events import ProjectKey
from libs.read_tables import project
from services.graphql.execution.statements import counted

Row = Mapping[str, Any]

Projects = frozenset[tuple[str, str]]
"""(site, project key)"""

R = TypeVar("R", bound="Reader")


class Reader:
    """Reads within some projects; None stands for all. Each subject derives one, which holds its SELECTs."""

    def __init__(self, engine: Engine, projects: Projects | None = None) -> None:
        self._engine = engine
        self._projects = projects
        if engine.dialect.name == "sqlite" and not event.contains(engine, "checkout", _fold_case):
            event.listen(engine, "checkout", _fold_case)

    def within(self, projects: Projects | None) -> Self:
        """The same, for one who may see these projects only."""
        return type(self)(self._engine, projects)

    def of(self, queries: type[R]) -> R:
        """The SELECTs of a subject, for one who may see as much."""
        return queries(self._engine, self._projects)

    async def _rows(self, query: Select[Any]) -> list[Row]:
        return await asyncio.to_thread(self._read, query)

    async def _one(self, query: Select[Any]) -> Row | None:
        return next(iter(await self._rows(query.limit(1))), None)

    def _read(self, query: Select[Any]) -> list[Row]:
        # In a thread, which has the context of the operation that it reads for: so the statement ends with that.
        try:
            with self._engine.connect() as connection, counted(connection):
                return [dict(row) for row in connection.execute(query).mappings()]
        except DataError as error:
            # PostgreSQL takes no text with a NUL in it, SQLite does; no stored text has one, so nothing matches.
            if isinstance(error.params, Mapping) and any("\x00" in str(value) for value in error.params.values()):
                return []
            raise

    def _seen(self, site: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether a row of this project may be shown: it is registered, and within the projects."""
        return and_(registered(site, key), self._allowed(site, key))

    def _allowed(self, site: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
        if self._projects is None:
            return true()
        if not self._projects:
            return false()
        return tuple_(site, key).in_(sorted(self._projects))


def registered(site: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether this project is registered."""
    return exists().where(project.c.site == site, project.c.key == key, project.c.registered)


def of_project(table: Table, key: ProjectKey) -> ColumnElement[bool]:
    """Whether a row is of this project."""
    return and_(table.c.site == key.site, table.c.project_key == key.key)


def _fold_case(connection: sqlite3.Connection, _record: Any, _proxy: Any) -> None:
    """SQLite's own `lower` knows ASCII only: searching for "über" would not find "Über"."""
    connection.create_function("lower", 1, lambda text: text.lower() if text else text, deterministic=True)
