"""Telemetry behind a real relay and NATS server."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats as nats_py
import pytest

from libs.events import Append, Event, EventStore, run_relay
from libs.runtime import Reported, Stop
from services.telemetry import watch
from tests.integration.events.made import issue, request
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


class Observed:
    """Stands where `observe` stands; a coroutine can wait for the nth event."""

    def __init__(self, failures: int = 0) -> None:
        self.events: list[Event] = []
        self._failures = failures
        self._came = asyncio.Event()

    def __call__(self, event: Event) -> None:
        if self._failures:
            self._failures -= 1
            raise RuntimeError("not now")
        self.events.append(event)
        self._came.set()

    async def count(self, number: int) -> None:
        async with asyncio.timeout(60):
            while len(self.events) < number:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def watching(url: str, state: Reported) -> AsyncIterator[None]:
    stop = Stop()
    task = asyncio.create_task(watch.watch(url, stop, state.report))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_it_sees_control_events_alone_and_goes_on_where_it_stopped(
    store: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed, state = Observed(), Reported()
    monkeypatch.setattr(watch, "observe", observed)
    async with relay(store, nats.url):
        store.append(Append(changes=[issue(1), request("a"), request("b")]))
        async with watching(nats.url, state):
            await observed.count(2)
            assert state() is None
        await _acknowledged(nats.url)
        store.append(Append(changes=[request("c")]))
        async with watching(nats.url, state):
            await observed.count(3)
    assert [getattr(event, "request_id", None) for event in observed.events] == ["a", "b", "c"]


async def test_an_event_that_could_not_be_handled_comes_again(
    store: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed = Observed(failures=2)
    monkeypatch.setattr(watch, "observe", observed)
    monkeypatch.setattr(watch, "RETRY_SECONDS", 0.01)
    async with relay(store, nats.url), watching(nats.url, Reported()):
        store.append(Append(changes=[request("a")]))
        await observed.count(1)


async def _acknowledged(url: str) -> None:
    """Acknowledgements travel one way: wait until the server has counted them."""
    client = await nats_py.connect(url)
    async with asyncio.timeout(60):
        while (await client.jetstream().consumer_info("JIRA", watch.DURABLE)).num_ack_pending:
            await asyncio.sleep(0.01)
    await client.close()
