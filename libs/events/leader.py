"""One leader among several processes, by a lock that the database holds and a crash lets go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from libs.events.sqlite import path_of

RELAY_LOCK = 7_236_114_002


@contextmanager
def leadership(url: str, name: str) -> Iterator[bool]:
    """Hold the lock `name` beside the log at `url`; yields whether this process got it. Never waits."""
    if url.startswith("sqlite:"):
        with _file_lock(f"{path_of(url)}.{name}.lock") as led:
            yield led
    else:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (RELAY_LOCK,)).fetchone()
            yield bool(row and row[0])


@contextmanager
def _file_lock(path: str) -> Iterator[bool]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
