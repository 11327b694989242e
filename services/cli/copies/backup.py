"""`jdi backup`: everything that cannot be made again, in one file.

That is the event log, with its heads, checkpoints and idempotency keys, and the API tokens. Read tables, NATS and
Temporal's schedules are made from the log. Sessions of the console are left out: people sign in again.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple

from libs.access.merging import merge_tokens
from libs.access.tables import api_token
from libs.events import open_store
from libs.events.log.copies import copy_file, keep_names, make_single_file
from libs.runtime import engine, event_database
from libs.runtime.database import sqlite_file
from services.cli.damage.lost_log import check_log_is_there
from services.cli.tokens import token_store

POSTGRES_TABLES: Final = ("jdi_events", "heads", "marks", "once", "log_schema", "api_token")
"""What a backup of PostgreSQL must hold."""


class BackupError(RuntimeError):
    """No backup was made; the text says what to do."""


class Backup(NamedTuple):
    """What is in a backup."""

    position: int
    """Of the log's last event."""
    tokens: int


def back_up(database_url: str, file: Path) -> Backup:
    """Write a backup while everything goes on; the file is there when it is complete.

    Raises:
        BackupError: the database is no SQLite, or the file is there already.
        LostLogError: the event log is gone.
        StoreVersionError: there is no event log of this version.
        CopyError: the file cannot be written.
    """
    source = sqlite_file(database_url)
    if source is None:
        raise BackupError(f"with PostgreSQL a backup is made by its own program: {pg_dump_line(file)}")
    if file.exists():
        raise BackupError(f"{file} is there already; give the name of a new file")
    check_log_is_there(database_url)
    open_store(event_database(database_url)).close()  # of this version, or an error that says what to run
    part = file.with_name(f"{file.name}.part")
    try:
        copy_file(source, part)
        backup = Backup(_position(part), _add_tokens(database_url, part))
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    keep_names(file.parent)
    return backup


def pg_dump_line(file: Path) -> str:
    """The command for PostgreSQL: one snapshot of the tables that cannot be made again."""
    return " ".join(["pg_dump", *pg_dump_options(), f"--file={file}", '"$DATABASE_URL"'])


def pg_dump_options() -> list[str]:
    return ["--format=custom", "--no-owner", "--no-privileges", *(f"--table={name}" for name in POSTGRES_TABLES)]


def _position(part: Path) -> int:
    store = open_store(f"sqlite:///{part}")
    try:
        return store.head()
    finally:
        store.close()


def _add_tokens(database_url: str, part: Path) -> int:
    with token_store(database_url) as tokens:
        rows = tokens.rows()
    target = engine(f"sqlite:///{part}")
    try:
        with target.begin() as connection:
            api_token.create(connection, checkfirst=True)
            added = merge_tokens(connection, rows)
    finally:
        target.dispose()
    with contextlib.closing(sqlite3.connect(part)) as database:
        make_single_file(database)
    return added
