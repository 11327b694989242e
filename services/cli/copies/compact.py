"""`jdi compact`: a log that an older version wrote gets as small as one of this version.

New events are compressed when they are stored, and old ones are read as they are, so this may be done at any time, or
never. Positions and contents stay.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from libs.events import open_store
from libs.events.log.copies import BUSY_SECONDS, CopyError, keep_names, make_single_file
from libs.events.log.encoding.compressor import Zstandard, is_compressed
from libs.events.log.postgres import libpq_url
from libs.runtime import event_database
from libs.runtime.database import sqlite_file
from services.cli.copies.at_work import AtWorkError, nobody_at_work
from services.cli.damage.lost_log import check_log_is_there

AT_ONCE: Final = 500
"""Events of PostgreSQL that are rewritten in one transaction."""
EVENTS: Final = "stored_events"
"""The table of SQLite whose row numbers are positions: they are copied, too."""


class Compacted(NamedTuple):
    """Bytes of the log on disk."""

    before: int
    after: int


async def compact(database_url: str) -> Compacted:
    """Compress what is not, and give the room back. Nothing is lost where it dies: it is begun again.

    Raises:
        AtWorkError: services run.
        CopyError: there is no room for the new file, or the old one is damaged.
        LostLogError: the event log is gone.
        StoreVersionError: there is no event log of this version.
    """
    check_log_is_there(database_url)
    url = event_database(database_url)
    open_store(url).close()  # of this version, or an error that says what to run
    async with nobody_at_work(url):
        file = sqlite_file(database_url)
        return _compact_postgres(libpq_url(url)) if file is None else _compact_file(file)


def _compact_file(file: Path) -> Compacted:
    before, part = file.stat().st_size, file.with_name(f"{file.name}.compacting")
    part.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as old:
            _alone(old, file)
            _copy_compressed(old, part)
        part.replace(file)
        keep_names(file.parent)
    except (OSError, sqlite3.Error) as error:
        raise CopyError(f"{file} could not be compacted: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return Compacted(before, file.stat().st_size)


def _alone(database: sqlite3.Connection, file: Path) -> None:
    """Have the file for ourselves, without a journal that would be left beside another file."""
    try:
        make_single_file(database)
        database.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise AtWorkError(f"{file} is open in another process; stop all services first") from error
        raise


def _copy_compressed(old: sqlite3.Connection, part: Path) -> None:
    part.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(part)) as new:
        new.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL;")
        made = (
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        for kind, name, sql in old.execute(f"{made} ORDER BY type = 'table' DESC").fetchall():
            new.execute(sql)
            if kind == "table":
                _copy_table(old, new, name)
        new.commit()
        problems = new.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if problems != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {problems}")


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, name: str) -> None:
    names = [row[1] for row in old.execute(f'PRAGMA table_info("{name}")')]
    if name == EVENTS:
        names.insert(0, "rowid")
    columns = ", ".join(f'"{column}"' for column in names)
    packed = _compressed if name == EVENTS else tuple
    places = ", ".join("?" * len(names))
    rows = old.execute(f'SELECT {columns} FROM "{name}" ORDER BY 1')  # noqa: S608 - names of its own
    new.executemany(f'INSERT INTO "{name}" ({columns}) VALUES ({places})', map(packed, rows))  # noqa: S608


_zstandard = Zstandard()


def _compressed(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row of events, whose state comes last."""
    return (*row[:-1], _pack(row[-1]))


def _pack(state: object) -> object:
    return _zstandard.compress(state) if isinstance(state, bytes) and not is_compressed(state) else state


def _compact_postgres(url: str) -> Compacted:
    with psycopg.connect(url, autocommit=True) as connection:
        before, position = _bytes_of(connection), 0
        while rows := connection.execute(
            "SELECT notification_id, state FROM jdi_events WHERE notification_id > %s ORDER BY 1 LIMIT %s",
            (position, AT_ONCE),
            binary=True,
        ).fetchall():
            position = rows[-1][0]
            changed = [(number, _pack(state)) for number, state in rows if not is_compressed(state)]
            connection.execute(
                "UPDATE jdi_events AS event SET state = new.state FROM unnest(%b::int8[], %b::bytea[])"
                " AS new (position, state) WHERE event.notification_id = new.position",
                ([number for number, _ in changed], [state for _, state in changed]),
            )
        connection.execute("VACUUM FULL jdi_events")
        return Compacted(before, _bytes_of(connection))


def _bytes_of(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_total_relation_size('jdi_events')").fetchone()
    return 0 if row is None else int(row[0])
