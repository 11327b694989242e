"""Where the databases are, and engines on them.

One `DATABASE_URL` names both. With SQLite the event log is the named file and the read tables are `<name>-read.db`
beside it, so that a rebuild of one never locks the other; with PostgreSQL both live in the named database.

SQLAlchemy is loaded by whoever opens an engine: it takes 11 MB, and services that know addresses alone do without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

    import sqlalchemy

BUSY_SECONDS: Final = 10.0
"""How long a SQLite writer waits for another one before it gives up."""
_KEEPALIVE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""In seconds. A network that drops a connection silently is noticed within a minute, else within two hours."""
_POSTGRES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")


def event_database(url: str) -> str:
    """The address of the event log: `sqlite:////abs/jdi.db`, or a libpq address `postgresql://…`.

    Raises:
        ValueError: when `url` is no file of SQLite and no PostgreSQL address.
    """
    if (file := sqlite_file(url)) is not None:
        return f"sqlite:///{file}"
    return f"postgresql://{_after_scheme(url)}"


def read_database(url: str) -> str:
    """The address of the read tables in SQLAlchemy's form: `sqlite:////abs/jdi-read.db` or `postgresql+psycopg://…`.

    Raises:
        ValueError: when `url` is no file of SQLite and no PostgreSQL address.
    """
    if (file := sqlite_file(url)) is not None:
        return f"sqlite:///{file.with_name(f'{file.stem}-read{file.suffix}')}"
    return f"postgresql+psycopg://{_after_scheme(url)}"


def sqlite_file(url: str) -> Path | None:
    """The absolute path of a SQLite address; None when it is another kind of address."""
    if not url.startswith("sqlite:"):
        return None
    name = url.removeprefix("sqlite:///")
    if name in (url, "", ":memory:"):
        raise ValueError(f"DATABASE_URL: {url!r} names no file; write sqlite:////absolute/path/jdi.db")
    return Path(name).absolute()


def engine(read_url: str, *, read_only: bool = False, statement_seconds: float | None = None) -> sqlalchemy.Engine:
    """An engine on the read tables.

    Args:
        read_url: as `read_database` gives it.
        read_only: transactions see one snapshot and may not write. Without it every SQLite transaction takes the write
            lock at its BEGIN (IMMEDIATE): one that reads first and writes later fails at once when another was faster.
        statement_seconds: how long a statement may take on PostgreSQL; SQLite knows no such limit.
    """
    import sqlalchemy

    if read_url.startswith("sqlite:"):
        return _sqlite_engine(read_url, read_only)
    options = ["-c default_transaction_read_only=on"] if read_only else []
    if statement_seconds is not None:
        options.append(f"-c statement_timeout={max(1, round(statement_seconds * 1000))}")
    connect_args = _KEEPALIVE | ({"options": " ".join(options)} if options else {})
    return sqlalchemy.create_engine(read_url, pool_pre_ping=True, connect_args=connect_args)


def _sqlite_engine(url: str, read_only: bool) -> sqlalchemy.Engine:
    import sqlalchemy

    file = sqlite_file(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    made = sqlalchemy.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @sqlalchemy.event.listens_for(made, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")

    @sqlalchemy.event.listens_for(made, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(begin)

    return made


def _after_scheme(url: str) -> str:
    for scheme in _POSTGRES:
        if url.startswith(scheme):
            return url.removeprefix(scheme)
    scheme = url.split("://", 1)[0]
    raise ValueError(
        f"DATABASE_URL: {scheme!r} is not supported; write sqlite:////absolute/path/jdi.db or postgresql://user:password@host/db"
    )
