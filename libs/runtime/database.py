"""Where the databases are, and engines on them.

One `DATABASE_URL` names all three. With SQLite the event log is the named file, and beside it are the read tables in
`<name>-read.db`, so that a rebuild of one never locks the other, and API tokens and sessions in `<name>-access.db`, so
that read tables may be lost without them. With PostgreSQL all live in the named database.

SQLAlchemy is loaded by whoever opens an engine: it takes 11 MB, and services that know addresses alone do without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlalchemy

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
    return _beside(url, "read")


def access_database(url: str) -> str:
    """The address of API tokens and sessions: `sqlite:////abs/jdi-access.db` or `postgresql+psycopg://…`.

    Raises:
        ValueError: when `url` is no file of SQLite and no PostgreSQL address.
    """
    return _beside(url, "access")


def _beside(url: str, name: str) -> str:
    if (file := sqlite_file(url)) is not None:
        return f"sqlite:///{file.with_name(f'{file.stem}-{name}{file.suffix}')}"
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
    """An engine on the read tables, or on another database that can be made again.

    Where a file of SQLite is met that is damaged, word is left beside it (`libs.runtime.sqlite.aside`).

    Args:
        read_url: as `read_database` gives it.
        read_only: transactions see one snapshot and may not write. Without it every SQLite transaction takes the write
            lock at its BEGIN (IMMEDIATE): one that reads first and writes later fails at once when another was faster.
        statement_seconds: how long a statement may take on PostgreSQL; SQLite knows no such limit.
    """
    import sqlalchemy

    if (file := sqlite_file(read_url)) is not None:
        from libs.runtime.sqlite.engine import sqlite_engine

        file.parent.mkdir(parents=True, exist_ok=True)
        return sqlite_engine(read_url, file, read_only=read_only)
    options = ["-c default_transaction_read_only=on"] if read_only else []
    if statement_seconds is not None:
        options.append(f"-c statement_timeout={max(1, round(statement_seconds * 1000))}")
    connect_args = _KEEPALIVE | ({"options": " ".join(options)} if options else {})
    return sqlalchemy.create_engine(read_url, pool_pre_ping=True, connect_args=connect_args)


def access_engine(
    access_url: str, *, read_only: bool = False, statement_seconds: float | None = None
) -> sqlalchemy.Engine:
    """An engine on API tokens and sessions. Arguments as those of `engine`.

    A file of SQLite that is damaged is set aside at once: whoever asks next meets an empty one, and fills it from the
    safety copy (`libs.access`).
    """
    file = sqlite_file(access_url)
    if file is None:
        return engine(access_url, read_only=read_only, statement_seconds=statement_seconds)
    from libs.runtime.sqlite.aside import set_damaged_aside
    from libs.runtime.sqlite.engine import sqlite_engine

    file.parent.mkdir(parents=True, exist_ok=True)
    return sqlite_engine(access_url, file, read_only=read_only, durable=True, on_damage=set_damaged_aside)


def _after_scheme(url: str) -> str:
    for scheme in _POSTGRES:
        if url.startswith(scheme):
            return url.removeprefix(scheme)
    scheme = url.split("://", 1)[0]
    raise ValueError(
        f"DATABASE_URL: {scheme!r} is not supported; write sqlite:////absolute/path/jdi.db or postgresql://user:password@host/db"
    )
