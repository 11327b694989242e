"""A secret that is replaced each time it is used, such as a refresh token: kept beside the log, spent by one at a time.

It is stored under a key made of another secret, which is not in the database, so that a copy of the database alone is
of no use. Its place is named after the secret that its row of successors began with: who configures another one starts
a new row, and all who configure the same one share it, whatever else they do.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken

from libs.events.log.batches import Append
from libs.events.log.store import EventStore, StoreError
from libs.events.reading.leader import leadership

WAIT_SECONDS: Final = 60.0
"""For another process that is spending it: a call over the network takes no longer."""
LOOK_SECONDS: Final = 0.1

log = structlog.get_logger(__name__)


class TurnTimeoutError(StoreError):
    """Another process does not let go of the secret."""


class SpentOnce:
    """The newest of a row of secrets. Of all processes on one log, one at a time has the right to spend it."""

    def __init__(self, store: EventStore, url: str, prefix: str, configured: str, sealing: str) -> None:
        """It reads nothing by itself.

        Args:
            store: the event log, one of whose checkpoints holds it.
            url: of the log, beside which the lock is.
            prefix: what the name of the checkpoint begins with.
            configured: the first of the row, as people gave it.
            sealing: the secret by which it is sealed.
        """
        self._store, self._url, self._configured = store, url, configured
        self._digest = hashlib.sha256(configured.encode()).hexdigest()[:16]
        self._name = f"{prefix}{self._digest}"
        self._cipher = Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"{prefix}\0{sealing}".encode()).digest()))
        self._unstored = ""
        """The newest one, while the log does not take it."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[SpendingTurn]:
        """The right to spend it, as soon as nobody else has it.

        Raises:
            StoreError: the log does not answer, or another process does not let go.
        """
        async with AsyncExitStack() as held:
            await self._take_turn(held)
            yield SpendingTurn(self, self._unstored or await asyncio.to_thread(self._newest))

    async def _take_turn(self, held: AsyncExitStack) -> None:
        name = f"spend-{self._digest}"
        for _ in range(round(WAIT_SECONDS / LOOK_SECONDS)):
            if await held.enter_async_context(leadership(self._url, name)) is not None:
                return
            await held.aclose()
            await asyncio.sleep(LOOK_SECONDS)
        raise TurnTimeoutError(f"another process has been spending {self._name} for {WAIT_SECONDS:.0f} seconds")

    def _newest(self) -> str:
        stored = self._store.checkpoint(self._name)
        if stored is None:
            return self._configured
        try:
            return self._cipher.decrypt(stored).decode()
        except (InvalidToken, ValueError):
            log.warning("what was kept cannot be read; the configured one is taken", checkpoint=self._name)
            return self._configured

    async def keep(self, newest: str) -> None:
        """Store it; where the log does not take it, hold it until the next turn. Raises StoreError never."""
        self._unstored = newest
        append = Append(checkpoints={self._name: self._cipher.encrypt(newest.encode())})
        try:
            await asyncio.to_thread(self._store.append, append)
        except StoreError as error:
            log.error(  # noqa: TRY400 - the log is away, and says so itself
                "the newest refresh token is not stored: a crash now would lose it",
                checkpoint=self._name,
                why=str(error),
            )
        else:
            self._unstored = ""


class SpendingTurn:
    """What one may do with it in a turn."""

    def __init__(self, row: SpentOnce, token: str) -> None:
        self._row, self.token = row, token

    async def keep(self, newest: str) -> None:
        """Replace it by its successor."""
        await self._row.keep(newest)
