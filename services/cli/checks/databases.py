"""The databases: there, of the right version, writable, with room, and the read tables in step with the log."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import Column, Engine, func, inspect, select, text

from libs.access.tables import api_token, console_session
from libs.events import EventStore, open_store
from libs.events.log.postgres import libpq_url
from libs.events.log.store import SCHEMA_VERSION
from libs.read_tables import FOLDED, PROJECTION, projection, readiness
from libs.runtime import access_database, engine, event_database, read_database
from libs.runtime.database import sqlite_file
from libs.runtime.sqlite.damage import damage_in
from services.cli.checks.catching_up import events_behind
from services.cli.checks.findings import Doubt, Finding, Trouble, look
from services.cli.copies.backup import POSTGRES_TABLES
from services.cli.damage.lost_log import LostLogError, check_log
from services.cli.settings import DoctorSettings

OLDEST_POSTGRES: Final = 14
"""Older ones get no fixes any more."""
LITTLE_SPACE: Final = 256 * 2**20
SOME_SPACE: Final = 2 * 2**30
BUSY_SECONDS: Final = 5.0
MEND_TABLES: Final = "a projector that runs makes them anew from the log; else `jdi migrate`, and start it"
MAKE_ACCESS: Final = "run `jdi migrate`: API tokens come back from their safety copy"


async def databases(settings: DoctorSettings) -> list[Finding]:
    """Of the event log, of the read tables and of API tokens."""
    log, tables, access = await asyncio.gather(
        look("event log", lambda: asyncio.to_thread(_event_log, settings), "is DATABASE_URL or JDI_DATA_DIR right?"),
        look("read tables", lambda: asyncio.to_thread(_read_tables, settings), "is the projector running?"),
        look("access", lambda: asyncio.to_thread(_access, settings), "run `jdi migrate`"),
    )
    more = [look("space", lambda: asyncio.to_thread(_space, settings), "make room, before the log cannot grow")]
    if not log.failed:
        advice = "grant the user of DATABASE_URL what it lacks"
        more.append(look("database", lambda: asyncio.to_thread(_rights, settings), advice))
    if not log.failed and not tables.failed:
        advice = "is the projector running? Its /readyz says why not"
        more.append(look("lag", lambda: _lag(settings), advice))
    return [log, tables, access, *await asyncio.gather(*more)]


def _event_log(settings: DoctorSettings) -> str:
    file = sqlite_file(settings.database_url)
    if file is not None:
        try:
            check_log(settings.database_url)
        except LostLogError as error:
            raise Trouble(str(error), "") from error
    with opened(settings) as store:
        return f"{store.head()} events, schema version {SCHEMA_VERSION}"


def _read_tables(settings: DoctorSettings) -> str:
    file = sqlite_file(read_database(settings.database_url))
    if file is not None and (why := damage_in(file)) is not None:
        raise Trouble(f"{file} is damaged ({why})", MEND_TABLES)
    with reading(settings) as tables:
        why = readiness(tables)
        if why is not None:
            raise Trouble(why)
        version = _of_live(tables, projection.c.version)
    return f"there, version {version}"


def _access(settings: DoctorSettings) -> str:
    """Looks, and mends nothing."""
    url = access_database(settings.database_url)
    file = sqlite_file(url)
    if file is not None:
        if not file.exists():
            raise Trouble(f"{file} is gone", MAKE_ACCESS)
        if (why := damage_in(file)) is not None:
            raise Trouble(f"{file} is damaged ({why})", MAKE_ACCESS)
    tables = engine(url, read_only=True)
    try:
        missing = {table.name for table in (api_token, console_session)} - set(inspect(tables).get_table_names())
        if missing:
            raise Trouble(f"there is no table {', '.join(sorted(missing))}", "run `jdi migrate`")
        with tables.connect() as connection:
            usable = api_token.c.revoked_at.is_(None)
            count = connection.execute(select(func.count()).select_from(api_token).where(usable)).scalar_one()
    finally:
        tables.dispose()
    return f"{count} API tokens that nobody has revoked"


def _rights(settings: DoctorSettings) -> str:
    file = sqlite_file(settings.database_url)
    if file is None:
        return _rights_in_postgres(settings)
    beside = (read_database(settings.database_url), access_database(settings.database_url))
    for path in (file, *(Path(url.removeprefix("sqlite:///")) for url in beside)):
        if not path.exists():
            continue  # another look's finding
        # `rw` makes no file where there is none.
        address = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    return f"SQLite {sqlite3.sqlite_version}, may be written"


def _rights_in_postgres(settings: DoctorSettings) -> str:
    with psycopg.connect(libpq_url(event_database(settings.database_url)), connect_timeout=5) as connection:
        version = connection.info.server_version
        shown = f"PostgreSQL {version // 10_000}.{version % 10_000}"
        row = connection.execute("SELECT current_user, pg_is_in_recovery()").fetchone()
        assert row is not None  # noqa: S101 - a SELECT without a table has one row
        if row[1]:
            raise Trouble(f"{shown} is a standby, which cannot be written", "set DATABASE_URL to the primary")
        denied = [table for table in (*POSTGRES_TABLES, *FOLDED) if not _may_write(connection, table)]
        if denied:
            raise Trouble(f"{row[0]} may not write {', '.join(denied)}")
    if version < OLDEST_POSTGRES * 10_000:
        raise Doubt(f"{shown} is older than {OLDEST_POSTGRES}", "upgrade PostgreSQL")
    return f"{shown}, {row[0]} may write"


def _may_write(connection: psycopg.Connection, table: str) -> bool:
    """A table that is not there is another look's finding."""
    row = connection.execute("SELECT has_table_privilege(to_regclass(%s), 'INSERT')", (table,)).fetchone()
    return row is not None and row[0] is not False


def _space(settings: DoctorSettings) -> str:
    file = sqlite_file(settings.database_url)
    if file is None:
        with psycopg.connect(libpq_url(event_database(settings.database_url)), connect_timeout=5) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        used = _size(row[0]) if row else "unknown"
        return f"the database takes {used}; the disk of its server is watched there"
    folder = next(folder for folder in file.parents if folder.exists())
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE:
        raise Trouble(f"{_size(free)} free in {folder}")
    if free < SOME_SPACE:
        raise Doubt(f"{_size(free)} free in {folder}")
    return f"{_size(free)} free in {folder}"


def _size(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


async def _lag(settings: DoctorSettings) -> str:
    head, shown = await asyncio.to_thread(_head, settings), await asyncio.to_thread(_shown, settings)
    if shown > head:
        raise Trouble(
            f"the read tables show event {shown}, the log ends at {head}: they are of another log",
            "after a restore: `jdi restore --finish`; else check DATABASE_URL",
        )
    behind = await events_behind(head, lambda: asyncio.to_thread(_shown, settings), "the read tables stand still")
    if behind:
        return f"catching up, {behind} events behind the log"
    return f"the read tables are at event {head}, with the log"


def _head(settings: DoctorSettings) -> int:
    with opened(settings) as store:
        return store.head()


def _shown(settings: DoctorSettings) -> int:
    """The position of the last event that the read tables show."""
    with reading(settings) as tables:
        return _of_live(tables, projection.c.position)


def _of_live(tables: Engine, column: "Column[int]") -> int:
    with tables.connect() as connection:
        return int(connection.execute(select(column).where(projection.c.name == PROJECTION)).scalar_one())


def database_clock(settings: DoctorSettings) -> float | None:
    """Seconds by which the database's clock is ahead of ours; None where it is the same clock."""
    if sqlite_file(settings.database_url) is not None:
        return None
    with reading(settings) as tables, tables.connect() as connection:
        connection.execute(text("SELECT 1"))  # so that connecting is not counted
        before = time.time()
        theirs = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        return theirs - (before + time.time()) / 2


@contextmanager
def opened(settings: DoctorSettings) -> Iterator[EventStore]:
    """The event log."""
    store = open_store(event_database(settings.database_url))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def reading(settings: DoctorSettings) -> Iterator[Engine]:
    """The read tables."""
    tables = engine(read_database(settings.database_url), read_only=True)
    try:
        yield tables
    finally:
        tables.dispose()
