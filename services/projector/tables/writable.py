"""Can the read tables be written? A check for `/readyz`, which our own writing must not mislead."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Engine

from libs.read_tables import PROJECTION

FRESH_SECONDS: Final = 1.0
"""A batch of ours that is not older proves as much as a write made for the purpose."""
LOCK_MS: Final = 1000
"""So long a proof waits for somebody else's lock."""
ROWS: Final = 40_000
"""Rows that PostgreSQL does not keep in memory: about a megabyte."""
UPDATE: Final = f"UPDATE projection SET generation = generation WHERE name = '{PROJECTION}'"  # noqa: S608
SQLITE: Final = (f"PRAGMA busy_timeout={LOCK_MS}", "BEGIN IMMEDIATE", UPDATE)
POSTGRES: Final = (
    f"SET LOCAL lock_timeout = '{LOCK_MS}ms'",
    "SET LOCAL work_mem = '64kB'",
    UPDATE,
    f"SELECT count(*) FROM generate_series(1, {ROWS})",  # noqa: S608
)


class Writing:
    """What this process writes into the read tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ours = False
        self._done_at = -FRESH_SECONDS

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Within the block the tables are locked by us; it ends before the commit."""
        self._ours = True
        try:
            yield
        finally:
            self._ours = False

    def done(self) -> None:
        """A batch is committed."""
        self._done_at = time.monotonic()

    def trouble(self) -> str | None:
        """Why the read tables cannot be written now; None when they can. Blocks for a second while they are locked."""
        if self._ours or time.monotonic() - self._done_at < FRESH_SECONDS:
            return None
        before = time.monotonic()
        try:
            self._prove()
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own
            if self._held_since(before):
                return None
            said = str(error).strip().splitlines()
            return f"the read tables cannot be written: {said[0] if said else type(error).__name__}"
        return None

    def _held_since(self, moment: float) -> bool:
        """Whether it was a batch of ours that held the tables."""
        return self._ours or self._done_at >= moment

    def _prove(self) -> None:
        """Write on a connection that nobody else has, and give it back as it was."""
        connection: Any = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            for statement in SQLITE if self._engine.dialect.name == "sqlite" else POSTGRES:
                cursor.execute(statement)
            connection.commit()
        finally:
            connection.invalidate()
