"""The one connection of a process that writes to the log.

Its cache stays true from one append to the next, while every connection of the library's pool, which gives them out in
turns, has to forget what it knows whenever another one has written. And as it alone writes, it alone says how often the
-wal is carried into the file: rarely, so that a page that many appends change is written once for all of them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventsourcing.persistence import IntegrityError, OperationalError
from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor

CACHE_KIB: Final = 16_384
"""What the keys of some 100,000 events take, which come in no order; memory is taken as it is used."""
CHECKPOINT_PAGES: Final = 8000
"""Pages of 4 KiB in the -wal from which on they are carried into the file."""
LOCK_SECONDS: Final = 30.0
"""For so long a writer waits for another one, of this process or of others."""


class Writer:
    """Transactions that write, one at a time. Thread-safe.

    The connection is opened by the first of them, so that no process inherits one when it is forked.
    """

    def __init__(self, address: str) -> None:
        """`address`: a URI of SQLite."""
        self._address = address
        self._turn = threading.Lock()
        self._connection: SQLiteConnection | None = None

    @contextmanager
    def transaction(self) -> Iterator[SQLiteCursor]:
        """A transaction that is committed at the end of the block, and rolled back when something is raised in it.

        Raises:
            PersistenceError: what SQLite refused, raised from its own error; nothing is written.
        """
        if not self._turn.acquire(timeout=LOCK_SECONDS):
            raise OperationalError("another thread of this process has been writing to the log for too long")
        try:
            if self._connection is None:
                self._connection = _opened(self._address)
            try:
                with self._connection.transaction(commit=True) as cursor:
                    yield cursor
            except IntegrityError:
                raise
            except BaseException:
                self._drop()  # who knows in what state it is; a new one knows the file as it is now
                raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """The next transaction would open it again."""
        with self._turn:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _opened(address: str) -> SQLiteConnection:
    connection = None
    try:
        connection = sqlite3.connect(
            address, uri=True, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise OperationalError(error) from error
    connection.row_factory = sqlite3.Row
    return SQLiteConnection(connection, max_age=None)
