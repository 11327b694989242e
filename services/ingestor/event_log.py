"""The event log as the activities use it: awaitable, and with one writer at a time in this process.

The store is synchronous. Appends share one thread: on SQLite concurrent writers would only wait for one another in
the database, with longer pauses.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

import msgspec

from libs.events import Append, Appended, Event, EventStore, Head, Held, Totals, command_key

T = TypeVar("T")


class EventLog:
    """Awaitable access to the event log."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="append")

    async def once(self, idempotency_key: str, answer: type[T], step: Callable[[], Awaitable[Append]]) -> T:
        """Take a step, and store what it comes to under its key; a step that was taken before is answered from the log.

        Args:
            idempotency_key: names the step; stored with its events.
            answer: what the `outcome` of the append decodes to.
            step: says what is to be stored. Not called when the log has the answer already.
        """
        outcome = await self.outcome(idempotency_key)
        if outcome is None:
            append = msgspec.structs.replace(await step(), idempotency_key=idempotency_key)
            outcome = (await self.append(append)).outcome
        return msgspec.json.decode(outcome, type=answer)

    async def append(self, append: Append) -> Appended:
        return await self._in(self._writer, lambda: self._store.append(append))

    async def outcome(self, idempotency_key: str) -> bytes | None:
        return await self._in(None, lambda: self._store.outcome(idempotency_key))

    async def checkpoint(self, name: str) -> bytes | None:
        return await self._in(None, lambda: self._store.checkpoint(name))

    async def checkpoints(self, prefix: str) -> dict[str, bytes]:
        return await self._in(None, lambda: self._store.checkpoints(prefix))

    async def checkpoints_named(self, names: Collection[str]) -> dict[str, bytes]:
        return await self._in(None, lambda: self._store.checkpoints_named(names))

    async def command_key(self) -> bytes:
        return await self._in(self._writer, lambda: command_key(self._store))

    async def heads(self, streams: Sequence[UUID]) -> dict[UUID, Head]:
        return await self._in(None, lambda: self._store.heads(streams))

    async def head(self) -> int:
        return await self._in(None, self._store.head)

    async def inventory_of(self, site: str, issue_ids: Iterable[str]) -> dict[str, Held]:
        return await self._in(None, lambda: self._store.inventory_of(site, issue_ids))

    async def present(self, site: str, project: str) -> list[str]:
        return await self._in(None, lambda: self._store.present(site, project))

    async def absent(self, site: str, project: str) -> dict[str, str]:
        return await self._in(None, lambda: self._store.absent(site, project))

    async def totals(self, site: str, project: str) -> Totals:
        return await self._in(None, lambda: self._store.totals(site, project))

    async def lost_heads(self, site: str, project: str) -> list[str]:
        return await self._in(None, lambda: self._store.lost_heads(site, project))

    async def lost_children(self, site: str, project: str) -> dict[str, list[UUID]]:
        return await self._in(None, lambda: self._store.lost_children(site, project))

    async def forget_digests(self, streams: Sequence[UUID]) -> None:
        await self._in(self._writer, lambda: self._store.forget_digests(streams))

    async def stream(self, stream: UUID, after: int = 0) -> list[Event]:
        return await self._in(None, lambda: self._store.stream(stream, after))

    async def _in(self, executor: ThreadPoolExecutor | None, call: Callable[[], T]) -> T:
        context = contextvars.copy_context()  # with the trace that the events continue
        return await asyncio.get_running_loop().run_in_executor(executor, context.run, call)

    def close(self) -> None:
        self._writer.shutdown(wait=True)
