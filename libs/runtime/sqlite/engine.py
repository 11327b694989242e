"""An engine of SQLAlchemy on a file of SQLite, which may be damaged, removed or replaced while we hold it open."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, DisconnectionError

from libs.runtime.sqlite.aside import suspect
from libs.runtime.sqlite.damage import is_damage

BUSY_SECONDS: Final = 10.0
"""How long a SQLite writer waits for another one before it gives up."""

_HELD: Final = "jdi_files"

OnDamage = Callable[[Path, str], None]
"""Called with the file and what SQLite says of it, each time that damage is met."""


class DamagedFileError(DatabaseError):
    """A file of SQLite is damaged; the text names it.

    Attributes:
        file: the damaged one.
    """

    def __init__(self, file: Path, orig: BaseException, statement: str | None = None) -> None:
        super().__init__(statement, None, orig, connection_invalidated=True)
        self.file = file

    def __str__(self) -> str:
        return f"{self.file} is damaged ({self.orig})"


def sqlite_engine(
    url: str, file: Path, *, read_only: bool, durable: bool = False, on_damage: OnDamage = suspect
) -> sqlalchemy.Engine:
    """An engine on a file. What damage it meets is raised as `DamagedFileError`; then all its connections are new.

    A connection to a file that is no longer the one at its path is replaced, too.

    Args:
        url: names the file.
        file: the same.
        read_only: may not write, and makes no file where there is none.
        durable: every commit is on disk before it returns. Else a power cut may take the last ones.
        on_damage: hears of damage.
    """
    mode = "rw" if read_only else "rwc"
    address = f"{file.as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        if not read_only:
            _make_private(file)
        return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

    made = sqlalchemy.create_engine(url, creator=connect)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    ends = ("", "-wal", "-shm")

    @event.listens_for(made, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        record.info[_HELD] = {end: found for end in ends if (found := _identity(file, end)) is not None}

    @event.listens_for(made, "checkout")
    def _same_files(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if any(_identity(file, end) != held for end, held in record.info[_HELD].items()):
            raise DisconnectionError(f"{file} was replaced")

    @event.listens_for(made, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(begin)

    @event.listens_for(made, "handle_error", retval=True)
    def _judge(context: Any) -> BaseException | None:
        error: BaseException = context.original_exception
        if isinstance(error, DamagedFileError) or not (is_damage(error) or file.is_dir()):
            return None
        context.is_disconnect = True  # every connection may have pages of it in its cache
        on_damage(file, str(error))
        return DamagedFileError(file, error, context.statement)

    return made


def _make_private(file: Path) -> None:
    """Make an empty file that only its owner may read; SQLite would make one for everybody."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _identity(file: Path, end: str) -> tuple[int, int] | None:
    """Of the file at a path; None where there is none."""
    try:
        found = file.with_name(f"{file.name}{end}").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
