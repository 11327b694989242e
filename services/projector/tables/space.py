"""Room on the disk that dropped tables have left: PostgreSQL gives it back by itself, a file of SQLite does not."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from libs.events import Stopping

PAGES: Final = 2000
"""Given back at once; between two portions others may write."""
PATIENCE_MS: Final = 1000
"""How long readers are waited for: what is beside the file is cut only where none of them needs it."""
INCREMENTAL: Final = 2
"""SQLite's name for a file that can be cut a little at a time."""

log = structlog.get_logger(__name__)


def give_back(engine: Engine, stop: Stopping) -> None:
    """Cut the file down to what is in it. What hinders that is told and left: the next rebuild tries again."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with _cursor(engine) as cursor:
            _cut(cursor, stop)
    except (sqlite3.Error, SQLAlchemyError) as error:
        log.info("the room of the old read tables is not given back yet", why=str(error))


def _cut(cursor: Any, stop: Stopping) -> None:
    if _value(cursor, "auto_vacuum") != INCREMENTAL:
        # A file is made able to be cut by writing it anew, once; that also leaves nothing to be cut.
        cursor.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        cursor.execute("VACUUM")
    while not stop.is_set() and _value(cursor, "freelist_count"):
        # As a script: `execute` would take one step of it, which is one page.
        cursor.executescript(f"PRAGMA incremental_vacuum({PAGES})")
    cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _value(cursor: Any, pragma: str) -> int:
    return int(cursor.execute(f"PRAGMA {pragma}").fetchone()[0])


@contextlib.contextmanager
def _cursor(engine: Engine) -> Iterator[Any]:
    """A cursor that begins no transaction, on a connection that is not used again."""
    connection = engine.raw_connection()
    try:
        yield connection.cursor()
    finally:
        connection.invalidate()
