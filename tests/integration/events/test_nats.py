"""The relay and the subscriber against a real NATS server that dies and loses its data."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats as nats_py

from libs.events import Append, EventStore, run_relay, subscribe
from tests.integration.events.made import THEN, issue, request
from tests.servers import NatsServer


@asynccontextmanager
async def relay(store: EventStore, url: str) -> AsyncIterator[None]:
    stop = threading.Event()
    task = asyncio.create_task(run_relay(store, url, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def positions(url: str, durable: str, count: int, *, subjects: tuple[str, ...] = ("jira.>",)) -> list[int]:
    seen: list[int] = []
    async with asyncio.timeout(60):
        async for delivery in subscribe(url, durable=durable, subjects=subjects):
            await delivery.ack()
            seen.append(delivery.position)
            if len(seen) == count:
                break
    return seen


async def test_the_log_arrives_whole_and_in_order(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(500)]))
    async with relay(store, nats.url):
        assert await positions(nats.url, "reader", 500) == list(range(1, 501))
        store.append(Append(changes=[issue(1000)]))
        assert await positions(nats.url, "reader", 1) == [501]


async def test_a_restarted_relay_goes_on_where_the_stream_ends(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1), issue(2)]))
    async with relay(store, nats.url):
        await positions(nats.url, "first", 2)
    store.append(Append(changes=[issue(3)]))
    async with relay(store, nats.url):
        assert await positions(nats.url, "second", 3) == [1, 2, 3]
    client = await nats_py.connect(nats.url)
    assert (await client.jetstream().stream_info("JIRA")).state.messages == 3
    await client.close()


async def test_a_wiped_nats_is_filled_again(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(50)]))
    async with relay(store, nats.url):
        await positions(nats.url, "before", 50)
        nats.wipe()
        assert await positions(nats.url, "after", 50) == list(range(1, 51))


async def test_a_killed_nats_delays_and_loses_nothing(store: EventStore, nats: NatsServer) -> None:
    async with relay(store, nats.url):
        store.append(Append(changes=[issue(1)]))
        await positions(nats.url, "reader", 1)
        nats.kill()
        store.append(Append(changes=[issue(2)]))
        nats.start()
        assert await positions(nats.url, "reader", 1) == [2]


async def test_subjects_choose_events(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1), request("r"), issue(2)]))
    async with relay(store, nats.url):
        chosen = ("jira.acme.KEY.control.sync_requested",)
        assert await positions(nats.url, "control", 1, subjects=chosen) == [2]
        assert await positions(nats.url, "issues", 2, subjects=("jira.*.*.issue.*",)) == [1, 3]


async def test_what_is_too_large_for_nats_is_referenced(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1, text="x" * 1_100_000), issue(2)]))
    dead: list[str] = []

    async def on_dead_letter(_: str, __: bytes, reason: str) -> None:
        dead.append(reason)

    async with relay(store, nats.url), asyncio.timeout(60):
        async for delivery in subscribe(nats.url, durable="reader", on_dead_letter=on_dead_letter):
            await delivery.ack()
            assert delivery.position == 2
            break
    assert dead == ["the body is too large for NATS; read it from the log: event-store:1"]


async def test_an_event_comes_again_until_it_is_acknowledged(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1, updated=THEN)]))
    attempts: list[int] = []
    async with relay(store, nats.url), asyncio.timeout(60):
        async for delivery in subscribe(nats.url, durable="reader"):
            attempts.append(delivery.attempt)
            if len(attempts) == 3:
                await delivery.ack()
                break
            await delivery.retry(0.05)
    assert attempts == [1, 2, 3]


async def test_a_foreign_message_is_a_dead_letter_and_the_rest_flows(store: EventStore, nats: NatsServer) -> None:
    dead: list[tuple[str, bytes]] = []

    async def on_dead_letter(subject: str, body: bytes, _: str) -> None:
        dead.append((subject, body))

    async with relay(store, nats.url):
        store.append(Append(changes=[issue(1)]))
        await positions(nats.url, "warm", 1)
        client = await nats_py.connect(nats.url)
        await client.jetstream().publish("jira.acme.KEY.issue.strange", b"not ours")
        await client.close()
        store.append(Append(changes=[issue(2)]))
        seen: list[int] = []
        async with asyncio.timeout(60):
            async for delivery in subscribe(nats.url, durable="reader", on_dead_letter=on_dead_letter):
                await delivery.ack()
                seen.append(delivery.position)
                if seen == [1, 2]:
                    break
    assert dead == [("jira.acme.KEY.issue.strange", b"not ours")]
