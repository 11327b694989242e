"""A relay that runs beside a test, and looks at what NATS holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from libs.events import EventStore, run_relay, subscribe
from libs.runtime import Stop
from tests.eventually import until

PATIENCE = 60.0
"""Seconds until a condition that a test waits for counts as never."""


@asynccontextmanager
async def relay(
    store: EventStore,
    url: str,
    on_health: Callable[[str | None], None] = lambda _: None,
    on_position: Callable[[int | None], None] = lambda _: None,
) -> AsyncIterator[None]:
    stop = Stop()
    task = asyncio.create_task(run_relay(store, url, stop, on_health=on_health, on_position=on_position))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def jetstream(url: str) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(url)
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def messages(url: str) -> list[RawStreamMsg]:
    """Everything the stream holds, in its order."""
    async with jetstream(url) as js:
        state = (await js.stream_info("JIRA")).state
        return [await js.get_msg("JIRA", seq=number) for number in range(state.first_seq, state.last_seq + 1)]


async def stored_positions(url: str) -> list[int]:
    return [int((message.headers or {})["ce-id"]) for message in await messages(url)]


async def until_stored(url: str, count: int) -> None:
    """Wait until the stream holds `count` messages."""

    async def held() -> int:
        async with jetstream(url) as js:
            return (await js.stream_info("JIRA")).state.messages

    await until(held, lambda messages: messages >= count, despite=(NatsError, OSError))


async def delivered(url: str, durable: str, count: int, *, subjects: tuple[str, ...] = ("jira.>",)) -> list[int]:
    """The positions of the next `count` events of a durable subscriber, acknowledged."""
    seen: list[int] = []
    deliveries = subscribe(url, durable=durable, subjects=subjects)
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
        async for delivery in deliveries:
            await delivery.ack()
            seen.append(delivery.position)
            if len(seen) == count:
                break
    return seen
