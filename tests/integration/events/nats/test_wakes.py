"""Woken by NATS, by the clock and by oneself; acknowledged when the work is done."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from libs.events import Append, EventStore, migrate, open_store, wakes
from libs.runtime import Stop
from tests.eventually import until
from tests.integration.events.nats.publishing import PATIENCE, jetstream, relay, until_stored
from tests.servers.addresses import NatsServer, free_port
from tests.unit.made.changes import issue, request

CONTROL = ("jira.*.*.control.*",)


def log_in(folder: Path) -> EventStore:
    url = f"sqlite:///{folder / 'jdi.db'}"
    migrate(url)
    return open_store(url)


async def unacknowledged(url: str) -> int:
    async with jetstream(url) as js:
        info = await js.consumer_info("JIRA", "sleeper")
        return (info.num_ack_pending or 0) + (info.num_pending or 0)


async def test_events_of_the_subjects_wake_and_are_acknowledged_after_the_work(
    nats: NatsServer, tmp_path: Path
) -> None:
    stop = Stop()
    heard = 0
    with contextlib.closing(log_in(tmp_path)) as store:
        async with relay(store, nats.url), asyncio.timeout(PATIENCE):
            store.append(Append(changes=[issue(1), request("a"), request("b")]))
            await until_stored(nats.url, 3)
            waking = wakes(nats.url, durable="sleeper", subjects=CONTROL, stop=stop)
            async with contextlib.aclosing(waking):
                while heard < 2:
                    heard += (came := await anext(waking))
                assert heard == 2
                assert await unacknowledged(nats.url) >= came > 0, "acknowledged before the work was done"
                waiting = asyncio.create_task(anext(waking, None))

                await until(lambda: unacknowledged(nats.url), lambda count: count == 0)
                stop.set()
                assert await waiting is None


async def test_without_nats_the_clock_and_the_bell_wake() -> None:
    stop, bell, reported = Stop(), asyncio.Event(), list[str | None]()
    longest = 0.01
    waking = wakes(
        f"nats://127.0.0.1:{free_port()}",
        durable="sleeper",
        subjects=CONTROL,
        stop=stop,
        longest=lambda: longest,
        bell=bell,
        on_health=reported.append,
    )
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(waking):
        assert await anext(waking) == 0
        assert await anext(waking) == 0
        longest = 10 * PATIENCE
        bell.set()
        assert await anext(waking) == 0
        bell.set()
        assert await anext(waking) == 0
        stop.set()
        assert await anext(waking, None) is None


async def test_what_goes_wrong_with_listening_is_not_swallowed() -> None:
    def fail(_: str | None) -> None:
        raise RuntimeError("nobody expected this")

    url = f"nats://127.0.0.1:{free_port()}"
    waking = wakes(url, durable="sleeper", subjects=CONTROL, stop=Stop(), on_health=fail)
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(waking):
        await anext(waking)
        with pytest.raises(RuntimeError, match="nobody expected this"):
            await anext(waking)
