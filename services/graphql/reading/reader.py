"""How the read tables are read: in one place, in threads, and only as far as the one who asks may see."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar

import psycopg
import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, and_, event, exists, false, true, tuple_
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

from libs.events import ProjectKey
from libs.read_tables import are_lost, is_broken, project
from services.graphql.execution.errors import UnavailableError
from services.graphql.execution.statements import counted

Row = Mapping[str, Any]

Projects = frozenset[tuple[str, str]]
"""(site, project key)"""

R = TypeVar("R", bound="Reader")

WHOLE_SECONDS: Final = 0.5
"""For so long a connection is not asked again whether the tables have their content."""
MENDED: Final = "The projector makes them anew from the event log; ask again in a while."
_WHOLE_UNTIL: Final = "jdi_whole_until"

log = structlog.get_logger(__name__)


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
                _check_whole(connection)
                return [dict(row) for row in connection.execute(query).mappings()]
        except DBAPIError as error:
            if (why := unavailable(error)) is not None:
                log.warning("the read tables cannot be read", why=str(error.orig))
                raise UnavailableError(why) from error
            if not isinstance(error, DataError):
                raise
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


def unavailable(error: DBAPIError) -> str | None:
    """What to tell callers where the tables cannot be read now; None for an error that is no such thing."""
    if isinstance(error.orig, psycopg.errors.QueryCanceled) or str(error.orig) == "interrupted":
        return None  # their time is over
    if error.connection_invalidated or is_broken(error):
        return f"The read tables are damaged or incomplete. {MENDED}"
    if isinstance(error, OperationalError | InterfaceError):
        return "The read tables cannot be read now: the database does not answer. Try again in a moment."
    return None


def _check_whole(connection: Connection) -> None:
    """See to it that a connection reads tables that have their content; a new file of SQLite is a new connection.

    Raises:
        UnavailableError: they have lost it.
    """
    now = time.monotonic()
    if now < connection.info.get(_WHOLE_UNTIL, 0.0):
        return
    if are_lost(connection):
        raise UnavailableError(f"The read tables were lost. {MENDED}")
    connection.info[_WHOLE_UNTIL] = now + WHOLE_SECONDS


def registered(site: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether this project is registered."""
    return exists().where(project.c.site == site, project.c.key == key, project.c.registered)


def of_project(table: Table, key: ProjectKey) -> ColumnElement[bool]:
    """Whether a row is of this project."""
    return and_(table.c.site == key.site, table.c.project_key == key.key)


def _fold_case(connection: sqlite3.Connection, _record: Any, _proxy: Any) -> None:
    """SQLite's own `lower` knows ASCII only: searching for "über" would not find "Über"."""
    connection.create_function("lower", 1, lambda text: text.lower() if text else text, deterministic=True)
