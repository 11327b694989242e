"""The statements of one operation, so that they end with it: threads cannot be cancelled, statements can.

Resolvers read in threads, which have the context of the operation they work for.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final

import psycopg
import sqlalchemy
import structlog

AGAIN_SECONDS: Final = 0.1
"""A cancel that comes a moment before its statement has no effect: so long until the next."""

PATIENCE_SECONDS: Final = 5.0
"""A database that does not end a statement within this will end none."""

log = structlog.get_logger(__name__)


class OverError(RuntimeError):
    """The operation is over; nobody waits for what this statement would find."""


class Statements:
    """The connections on which an operation is reading now."""

    def __init__(self) -> None:
        self._running: set[Any] = set()
        self._changed = threading.Condition()
        self._over = False

    @contextlib.contextmanager
    def on(self, connection: sqlalchemy.Connection) -> Iterator[None]:
        """Within the block the operation reads on this connection.

        Raises:
            OverError: the operation is over.
        """
        driver = connection.connection.driver_connection
        with self._changed:
            if self._over:
                raise OverError
            self._running.add(driver)
        try:
            yield
        finally:
            with self._changed:  # waits for a cancel under way, which must not meet the connection's next user
                self._running.discard(driver)
                self._changed.notify_all()

    def end(self) -> None:
        """Let nothing new begin, and cancel what is running. Does not wait for it."""
        with self._changed:
            self._over = True
            if not self._running:
                return
        # A thread of its own: those of the event loop may all be waiting for such statements.
        threading.Thread(target=self._cancel, name="cancel statements", daemon=True).start()

    def _cancel(self) -> None:
        for _ in range(int(PATIENCE_SECONDS / AGAIN_SECONDS)):
            with self._changed:
                for driver in self._running:
                    try:
                        _interrupt(driver)
                    except psycopg.Error as error:
                        log.warning("a statement cannot be cancelled", why=str(error))
                        return
                if self._changed.wait_for(lambda: not self._running, AGAIN_SECONDS):
                    return


_CURRENT: Final[ContextVar[Statements | None]] = ContextVar("statements", default=None)


@contextlib.contextmanager
def collected() -> Iterator[Statements]:
    """Statements that begin within the block are cancelled when it ends before them, for whatever reason."""
    statements = Statements()
    token = _CURRENT.set(statements)
    try:
        yield statements
    finally:
        _CURRENT.reset(token)
        statements.end()


def counted(connection: sqlalchemy.Connection) -> contextlib.AbstractContextManager[None]:
    """Count what reads on this connection to the operation it is for, if it is for one."""
    statements = _CURRENT.get()
    return contextlib.nullcontext() if statements is None else statements.on(connection)


def _interrupt(driver: Any) -> None:
    if isinstance(driver, sqlite3.Connection):
        driver.interrupt()
    else:
        driver.cancel_safe(timeout=PATIENCE_SECONDS)
