"""One leader among several processes, by a lock that the database holds and a crash lets go."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from libs.events.log.postgres import CONNECT_SECONDS, libpq_url
from libs.events.log.sqlite import path_of
from libs.events.log.store import StoreError
from libs.events.stop import Awaited

STANDBY_SECONDS: Final = 1.0
"""Between two looks whether the place is free."""
LOCK_CHECK_SECONDS: Final = 1.0
"""A leader looks this often whether it still is one, besides its look before each step."""
SILENT: Final = {"idle": 5, "interval": 5, "count": 3}
"""TCP keepalives, of both ends: a leader whose machine is gone is found out within 20 seconds, not two hours."""

HoldsLock = Callable[[], bool]
"""Asks whether the lock is still ours; may block for a round trip to the database."""

log = structlog.get_logger(__name__)


def _for_good() -> bool:
    """A lock that a file holds: it ends with its process alone, so nobody need look."""
    return True


class Lease:
    """The right to lead: over when the process is told to stop, or when the lock is lost."""

    def __init__(self, holds_lock: HoldsLock) -> None:
        self._holds_lock, self._over = holds_lock, asyncio.Event()

    async def still_held(self) -> bool:
        """Whether the lock is still ours, asked of the database: a session may be lost without notice.

        Ask before each step that writes or sends.
        """
        held = not self.may_be_lost or self.is_set() or await asyncio.to_thread(self._holds_lock)
        if not held and not self.is_set():
            log.warning("the lock is lost; another process may lead")
            self.end()
        return not self._over.is_set()

    @property
    def may_be_lost(self) -> bool:
        return self._holds_lock is not _for_good

    def end(self) -> None:
        self._over.set()

    def is_set(self) -> bool:
        return self._over.is_set()

    async def wait(self) -> None:
        await self._over.wait()

    async def sleep(self, seconds: float) -> bool:
        """Wait for the end of the lease, at most so many seconds; True when it has come."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), seconds)
        return self.is_set()


async def lead_by_lease(
    url: str,
    name: str,
    stop: Awaited,
    lead: Callable[[Lease], Awaitable[None]],
    *,
    on_health: Callable[[str | None], None],
    on_standby: Callable[[], None] = lambda: None,
) -> None:
    """Lead whenever no other process does, until told to stop.

    Args:
        url: of the event log, beside which the lock is.
        name: of the lock.
        stop: ends the lease, and this.
        lead: works until its lease is over, or returns early to begin again; must let go of everything by then.
        on_health: hears why nobody can lead: the log does not answer.
        on_standby: called as long as another process leads: all is well here.
    """
    while not stop.is_set():
        try:
            async with leadership(url, name) as holds_lock:
                if holds_lock is None:
                    on_standby()
                else:
                    await _lead_until_over(holds_lock, stop, lead)
        except (StoreError, psycopg.Error, OSError) as error:
            why = f"the event log does not answer: {str(error) or type(error).__name__}"
            log.warning("waiting for the event log", leader=name, why=why)
            on_health(why)
        await stop.sleep(STANDBY_SECONDS)


async def _lead_until_over(holds_lock: HoldsLock, stop: Awaited, lead: Callable[[Lease], Awaitable[None]]) -> None:
    lease = Lease(holds_lock)
    watching = asyncio.create_task(_end_in_time(lease, stop), name="watch the lease")
    try:
        await lead(lease)
    finally:
        watching.cancel()
        await asyncio.wait((watching,))


async def _end_in_time(lease: Lease, stop: Awaited) -> None:
    if not lease.may_be_lost:
        await stop.wait()
    while not await stop.sleep(LOCK_CHECK_SECONDS) and await lease.still_held():
        pass
    lease.end()


@asynccontextmanager
async def leadership(url: str, name: str) -> AsyncIterator[HoldsLock | None]:
    """Hold the lock `name` beside the log at `url`, or yield None where another process has it. Never waits.

    Raises:
        psycopg.Error, OSError: the database, or the folder of the log, cannot be reached.
    """
    if url.startswith("sqlite:"):
        handle = os.open(f"{path_of(url)}.{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            yield _for_good if _locked(handle) else None
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
    defaults: dict[str, Any] = {
        "application_name": "jdi-leader",
        "connect_timeout": CONNECT_SECONDS,
        **{f"keepalives_{name}": value for name, value in SILENT.items()},
    }
    connection = psycopg.connect(make_conninfo(**{**defaults, **conninfo_to_dict(libpq_url(url))}), autocommit=True)
    for name, value in SILENT.items():
        connection.execute("SELECT set_config(%s, %s, false)", (f"tcp_keepalives_{name}", str(value)))
    return connection


def _answers(connection: psycopg.Connection) -> bool:
    """The lock belongs to the session: it is ours for as long as the session lives."""
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
