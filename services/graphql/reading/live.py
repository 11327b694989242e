"""What moves, for those who watch: one look at the read tables serves all of them.

Nobody watches: nothing is asked. The read tables have no signal of their own that works on both databases, so they are
looked at four times a second while somebody watches; the look is one row.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final

import structlog

from services.graphql.reading.reader import Reader
from services.graphql.reading.versions import VersionQueries, Versions

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.25
"""Between two looks at the position of the read tables."""

COALESCE_SECONDS: Final = 0.5
"""Between two answers to one who watches: at most two a second."""

CHECK_SECONDS: Final = 5.0
"""After this long a watcher is given the unchanged state again, so that it can see whether it may still watch."""


class Live:
    """The present state of all projects, and word when it moves."""

    def __init__(self, reader: Reader) -> None:
        self._queries = reader.of(VersionQueries)
        self._state: Versions | None = None
        self._moved = asyncio.Condition()
        self._watchers = 0
        self._looking: asyncio.Task[None] | None = None

    async def states(self) -> AsyncGenerator[Versions, None]:
        """The present state at once, then the latest whenever it has moved, at most two a second.

        A state that has not moved comes again every few seconds.
        """
        self._watchers += 1
        try:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
            seen: Versions | None = None
            while True:
                seen = await self._next(seen)
                yield seen
                await asyncio.sleep(COALESCE_SECONDS)
        finally:
            self._watchers -= 1
            await self._stop_when_alone()

    async def close(self) -> None:
        """Stop looking."""
        self._watchers = 0
        await self._stop_when_alone()

    async def _next(self, seen: Versions | None) -> Versions:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS if seen is not None else None), self._moved:
                await self._moved.wait_for(lambda: self._state is not None and self._state is not seen)
        if self._state is None:  # not before the first look, which has no time limit
            raise RuntimeError("nothing was looked at")
        return self._state

    async def _look(self) -> None:
        reported = ""
        while True:
            try:
                await self._look_once()
            except Exception as error:  # noqa: BLE001 - whatever the database says, it may be back at the next look
                if reported != str(error):
                    log.warning("the read tables cannot be watched", why=str(error))
                reported = str(error)
            else:
                reported = ""
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_once(self) -> None:
        position = await self._queries.position()
        if self._state is not None and self._state.position == position:
            return
        state = await self._queries.versions()
        async with self._moved:
            self._state = state
            self._moved.notify_all()

    async def _stop_when_alone(self) -> None:
        if self._watchers or self._looking is None:
            return
        looking, self._looking, self._state = self._looking, None, None
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
