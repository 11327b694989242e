"""Hints on their way into the store, many at once in one transaction; whoever sent one is answered when it is there.

A flood costs as many transactions as fit into its time, each with one hint of every issue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import structlog

from libs.events import Append, EventStore
from libs.events.hints import Heard, Hint, heard_checkpoint, hint_prefix, read_hint, stored_hint

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 20_000
"""Issues whose hints wait to be stored, while the database is slow; more are refused."""

WAKE_SECONDS: Final = 0.25
"""From one word to the ingestor to the next, at least."""


class Refused(NamedTuple):
    """What was not taken, since this process began."""

    number: int = 0
    why: str = ""
    """Of the last one."""
    at: datetime | None = None


class Kept(NamedTuple):
    """What there is of a site's hints."""

    heard: Heard | None
    """The webhook that came last; None before the first."""
    waiting: int
    """Hints that have not been taken up."""
    oldest: datetime | None
    """Since when the first of them waits."""
    refused: Refused


class TooManyError(RuntimeError):
    """So many hints wait to be stored that no more are taken."""


class Keeper:
    """Stores the hints of one site, and tells the ingestor that there are some."""

    def __init__(
        self, site: str, open_store: Callable[[], EventStore], tell_ingestor: Callable[[str], Awaitable[None]]
    ) -> None:
        """It opens nothing by itself.

        Args:
            site: the Jira site that the hints are about.
            open_store: opens the event log, at the first hint; blocks, and raises.
            tell_ingestor: called with the site when hints were stored; may raise.
        """
        self.site = site
        self._open, self._tell = open_store, tell_ingestor
        self._store: EventStore | None = None
        self._waiting: dict[str, Hint] = {}
        self._heard: Heard | None = None
        self._storing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._untold = False
        self._refused = Refused()

    async def keep(self, hints: Sequence[Hint], heard: Heard) -> None:
        """Return when the hints are stored.

        Raises:
            TooManyError: too many wait already.
            Exception: of the database; nothing of it is stored.
        """
        if len(self._waiting) + len(hints) > MOST_WAITING:
            raise TooManyError(f"{len(self._waiting)} hints wait to be stored")
        self._wait(hints)
        self._heard = heard
        # Who comes while a transaction is under way waits for the one after it.
        under_way = self._storing
        if under_way is not None and not under_way.done():
            await asyncio.wait([under_way])
        if self._storing is None or self._storing is under_way:
            self._storing = asyncio.create_task(self._store_waiting(), name="hints")
        await asyncio.shield(self._storing)

    def _wait(self, hints: Iterable[Hint]) -> None:
        for hint in hints:
            before = self._waiting.get(hint.issue)
            self._waiting[hint.issue] = hint if before is None else before | hint

    async def _store_waiting(self) -> None:
        hints, self._waiting = self._waiting, {}
        heard, self._heard = self._heard, None
        checkpoints = dict(stored_hint(self.site, hint) for hint in hints.values())
        if heard is not None:
            checkpoints[heard_checkpoint(self.site)] = msgspec.json.encode(heard)
        try:
            await asyncio.to_thread(self._append, Append(checkpoints=checkpoints))
        except BaseException:
            # Who comes while it failed is told the outcome of the next transaction, which is to hold theirs.
            later, self._waiting = self._waiting, hints
            self._wait(later.values())
            self._heard = self._heard or heard
            raise
        if hints:
            self._untold = True
            if self._telling is None or self._telling.done():
                self._telling = asyncio.create_task(self._tell_ingestor(), name="hints told")

    def _append(self, append: Append) -> None:
        self._opened().append(append)

    def _opened(self) -> EventStore:
        if self._store is None:
            self._store = self._open()
        return self._store

    def refused(self, why: str, at: datetime) -> None:
        """Remember that one was not taken; in this process alone, for whoever likes may send such."""
        self._refused = Refused(self._refused.number + 1, why, at)

    async def kept(self) -> Kept:
        """What there is in the store. Raises what the database does."""
        return await asyncio.to_thread(self._kept)

    def _kept(self) -> Kept:
        store = self._opened()
        heard = store.checkpoint(heard_checkpoint(self.site))
        hints = [hint for one in store.checkpoints(hint_prefix(self.site)).values() if (hint := read_hint(one))]
        return Kept(
            heard=None if heard is None else msgspec.json.decode(heard, type=Heard),
            waiting=len(hints),
            oldest=min((hint.at for hint in hints), default=None),
            refused=self._refused,
        )

    async def _tell_ingestor(self) -> None:
        """As long as hints come, in turn with pauses. The ingestor looks by itself now and then, so it may fail."""
        while self._untold:
            self._untold = False
            try:
                await self._tell(self.site)
            except Exception as error:  # noqa: BLE001 - whatever Temporal says: the hints are stored
                log.warning("the ingestor could not be told of hints; it will find them itself", why=str(error))
            await asyncio.sleep(WAKE_SECONDS)

    async def close(self) -> None:
        """Store what is under way, and close the log."""
        for task in (self._storing, self._telling):
            if task is not None:
                await asyncio.wait([task], timeout=2.0)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
