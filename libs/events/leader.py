"""One leader among several processes, by a lock that the database holds and a crash lets go."""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from libs.events.postgres import libpq_url
from libs.events.sqlite import path_of

StillHeld = Callable[[], bool]
"""Asks whether the lock is still ours; may block for a round trip to the database."""


@asynccontextmanager
async def leadership(url: str, name: str) -> AsyncIterator[StillHeld | None]:
    """Hold the lock `name` beside the log at `url`, or yield None where another process has it. Never waits.

    Raises:
        psycopg.Error, OSError: the database, or the folder of the log, cannot be reached.
    """
    if url.startswith("sqlite:"):
        handle = os.open(f"{path_of(url)}.{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            yield (lambda: True) if _locked(handle) else None
        finally:
            os.close(handle)
        return
    connection = await asyncio.to_thread(_session, url)
    try:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_key(name),)).fetchone()
        yield (lambda: _answers(connection)) if row and row[0] else None
    finally:
        connection.close()


def _key(name: str) -> int:
    """PostgreSQL names its locks by 64 bits."""
    return int.from_bytes(hashlib.blake2b(f"jdi leader {name}".encode(), digest_size=8).digest(), signed=True)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _session(url: str) -> psycopg.Connection:
    return psycopg.connect(libpq_url(url), autocommit=True, connect_timeout=10)


def _answers(connection: psycopg.Connection) -> bool:
    """The lock belongs to the session: it is ours for as long as the session lives."""
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
