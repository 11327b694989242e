"""Make the tables, fill them from the safety copy where they were lost, and ask once more after that."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

import structlog
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DatabaseError

from libs.access.merging import merge_tokens
from libs.access.safety_copy import copied_tokens, keep_copy
from libs.access.tables import alone, metadata

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)


class OnTables(Protocol):
    """Something that asks the tables of an engine that may write."""

    _engine: Engine


S = TypeVar("S", bound=OnTables)


def migrate(engine: Engine) -> None:
    """Create what is missing; safe when several processes run it at once. Never alters a table.

    With SQLite, tokens that the safety copy knows and the table does not come back, and so do revocations.

    Raises:
        NotCopiedError: there is something to copy, and the safety copy cannot be written.
        sqlalchemy.exc.DatabaseError: the database does not let us.
    """
    try:
        _migrate(engine)
    except DatabaseError as error:
        if not _began_again(engine, error):
            raise
        _migrate(engine)


def _migrate(engine: Engine) -> None:
    with engine.begin() as connection:
        alone(connection)
        metadata.create_all(connection, checkfirst=True)
        added = merge_tokens(connection, copied_tokens(engine))
        keep_copy(connection)
    if added:
        log.warning("API tokens are restored from their safety copy", tokens=added, file=engine.url.database)


def mended(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that is called once more where the tables were lost, as with their file, and are there again."""

    @functools.wraps(method)
    def call(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except DatabaseError as error:
            engine = self._engine
            if not (_began_again(engine, error) or _lacks_tables(engine)):
                raise
            migrate(engine)
            return method(self, *args, **kwargs)

    return cast("Callable[Concatenate[S, P], R]", call)


def _began_again(engine: Engine, error: DatabaseError) -> bool:
    """Whether a damaged file was met, so that all connections are new ones by now."""
    return engine.dialect.name == "sqlite" and error.connection_invalidated


def _lacks_tables(engine: Engine) -> bool:
    if engine.dialect.name != "sqlite":
        return False
    try:
        return bool(metadata.tables.keys() - set(inspect(engine).get_table_names()))
    except DatabaseError:
        return False
