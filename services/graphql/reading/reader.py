"""How the read tables are read: in one place, and only as far as the one who asks may see."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Self

from sqlalchemy import ColumnElement, Engine, Select, and_, event, exists, false, select, true, tuple_
from sqlalchemy.exc import DataError

from libs.read_tables import project
from services.graphql.execution.statements import counted

Row = Mapping[str, Any]

Projects = frozenset[tuple[str, str]]
"""(site, project key)"""


class Reader:
    """Reads within some projects; None stands for all."""

    def __init__(self, engine: Engine, projects: Projects | None = None) -> None:
        self._engine = engine
        self._projects = projects
        if engine.dialect.name == "sqlite" and not event.contains(engine, "checkout", _fold_case):
            event.listen(engine, "checkout", _fold_case)

    def within(self, projects: Projects | None) -> Self:
        """The same, for one who may see these projects only."""
        return type(self)(self._engine, projects)

    def _rows(self, query: Select[Any]) -> list[Row]:
        try:
            with self._engine.connect() as connection, counted(connection):
                return [dict(row) for row in connection.execute(query).mappings()]
        except DataError as error:
            # PostgreSQL takes no text with a NUL in it, SQLite does; no stored text has one, so nothing matches.
            if isinstance(error.params, Mapping) and any("\x00" in str(value) for value in error.params.values()):
                return []
            raise

    def _one(self, query: Select[Any]) -> Row | None:
        return next(iter(self._rows(query.limit(1))), None)

    def _seen(self, site: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether a row of this project may be shown: it is registered, and within the projects."""
        registered = exists().where(project.c.site == site, project.c.key == key, project.c.registered)
        return and_(registered, self._allowed(site, key))

    def _allowed(self, site: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
        if self._projects is None:
            return true()
        if not self._projects:
            return false()
        return tuple_(site, key).in_(sorted(self._projects))


class ProjectQueries(Reader):
    """Registered projects."""

    def projects(self) -> list[Row]:
        """Registered projects, by key."""
        query = select(project).where(project.c.registered, self._allowed(project.c.site, project.c.key))
        return self._rows(query.order_by(project.c.key, project.c.site))

    def project_by_id_or_key(self, wanted: str) -> Row | None:
        """A registered project by Jira's id, by key, or by `<site>:<key>` where two sites share a key."""
        site, colon, key = wanted.partition(":")
        name = and_(project.c.site == site, project.c.key == key) if colon else project.c.key == wanted
        query = select(project).where(
            (project.c.project_id == wanted) | name,
            project.c.registered,
            self._allowed(project.c.site, project.c.key),
        )
        return self._one(query.order_by(project.c.site))

    def projects_by_name(self, names: list[tuple[str, str]]) -> list[Row]:
        """Those of the (site, key) that are registered."""
        query = select(project).where(
            tuple_(project.c.site, project.c.key).in_(names),
            project.c.registered,
            self._allowed(project.c.site, project.c.key),
        )
        return self._rows(query.order_by(project.c.key, project.c.site))


def _fold_case(connection: sqlite3.Connection, _record: Any, _proxy: Any) -> None:
    """SQLite's own `lower` knows ASCII only: searching for "über" would not find "Über"."""
    connection.create_function("lower", 1, lambda text: text.lower() if text else text, deterministic=True)
