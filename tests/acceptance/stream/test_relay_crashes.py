"""Relay and NATS are killed, frozen and cut off from power in mid-stream: the stream holds the log, in its order, once.

2 trials by default. More, or certain ones: ``RELAY_CRASHES=100 pytest tests/acceptance/stream/test_relay_crashes.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats as nats_client
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from libs.embedded.servers import nats_config, nats_url
from libs.events import Append, EventStore, migrate, open_store
from tests.acceptance.seeds import seeds_of
from tests.acceptance.stream.judge import logged
from tests.eventually import until
from tests.integration.ingestor.relay.running import RelayProcess, relaying
from tests.servers.addresses import PostgresServer, Process, end_other_sessions, free_port
from tests.unit.made.changes import issue

EVENTS = 2000
AT_ONCE = 500


class ShippedNats(Process):
    """A server with the configuration of `jdi up`; what a power cut leaves of its data is what was there before."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        (folder / "nats.conf").write_text(nats_config(folder, port, "secret", "watch"))
        self._data, self._synced = folder / "nats", folder / "synced"
        self.url = nats_url(port, "secret")
        command = [str(Path(sys.executable).with_name("nats-server")), "--config", str(folder / "nats.conf")]
        super().__init__(command, port, folder / "nats.log")

    def sync(self) -> None:
        """Remember what is there now as what is on the disk."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        shutil.rmtree(self._synced, ignore_errors=True)
        shutil.copytree(self._data, self._synced)
        self._process.send_signal(signal.SIGCONT)

    def cut_power(self) -> None:
        """Die, lose what was not on the disk, and start again."""
        self.kill()
        shutil.rmtree(self._data)
        self._synced.rename(self._data)
        self.start()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[ShippedNats]:
    server = ShippedNats(tmp_path)
    server.start()
    yield server
    server.kill()


def filled(store: EventStore, rng: random.Random, count: int = EVENTS) -> None:
    begin = store.head()
    for start in range(begin, begin + count, AT_ONCE):
        some = [issue(each, text="x" * rng.choice((10, 100, 1000, 3000))) for each in range(start, start + AT_ONCE)]
        store.append(Append(changes=some))


async def messages(url: str) -> int:
    """How many the stream holds; 0 while there is none, or no server."""
    with contextlib.suppress(NatsError, OSError, NotFoundError):
        async with asking(url) as client:
            return (await client.jetstream(timeout=5).stream_info("JIRA")).state.messages
    return 0


@contextlib.asynccontextmanager
async def asking(url: str) -> AsyncIterator[Client]:
    async def unheard(_error: Exception) -> None:
        """A server that is killed is no news."""

    client = await nats_client.connect(url, allow_reconnect=False, error_cb=unheard)
    try:
        yield client
    finally:
        await client.close()


async def held(url: str) -> list[tuple[int, bytes]]:
    """Position and body of every message of the stream, in its order."""
    async with asking(url) as client:
        jetstream = client.jetstream(timeout=30)
        count = (await jetstream.stream_info("JIRA")).state.messages
        consumer = await jetstream.subscribe("jira.>", ordered_consumer=True)
        read = [await consumer.next_msg(timeout=30) for _ in range(count)]
    return [(int((message.headers or {})["ce-id"]), message.data) for message in read]


@pytest.mark.parametrize("trial", seeds_of("RELAY_CRASHES", 2))
async def test_whoever_dies_in_mid_stream_nothing_stays_lost(
    trial: int, log_url: str, tmp_path: Path, nats: ShippedNats
) -> None:
    rng = random.Random(trial)
    deaths = ["relay", "NATS", "power"]
    rng.shuffle(deaths)
    with contextlib.closing(open_store(log_url)) as store, contextlib.ExitStack() as processes:
        filled(store, rng)
        relay = processes.enter_context(relaying(log_url, nats.url, tmp_path))
        for number, death in enumerate(deaths):
            if number:
                await asyncio.to_thread(filled, store, rng)
            await _in_mid_stream(nats.url, store, rng)
            if death == "relay":
                relay.kill()
                relay = processes.enter_context(relaying(log_url, nats.url, tmp_path))
            elif death == "NATS":
                await asyncio.to_thread(nats.restart)
            else:
                await asyncio.to_thread(nats.sync)
                await asyncio.sleep(rng.random() * 0.3)
                await asyncio.to_thread(nats.cut_power)
        expected = [(each.position, each.state) for each in await asyncio.to_thread(logged, log_url)]
        await until(lambda: messages(nats.url), lambda found: found >= len(expected))
        assert await held(nats.url) == expected, deaths
        await until(relay.place, lambda place: place == expected[-1][0])
        relay.signal(signal.SIGTERM)
        assert relay.ended() == 0, relay.said


async def _in_mid_stream(url: str, store: EventStore, rng: random.Random) -> None:
    """Wait until the stream holds some of the events that it lacks, and not all."""
    lacking = store.head() - (already := await messages(url))
    some = already + 1 + rng.randrange(max(1, lacking * 2 // 3))
    await until(lambda: messages(url), lambda found: found >= some)


async def test_one_that_was_frozen_finds_another_in_its_place_and_does_no_harm(
    postgres: PostgresServer, tmp_path: Path, nats: ShippedNats
) -> None:
    url = postgres.fresh_database()
    migrate(url)
    rng = random.Random(1)
    with contextlib.closing(open_store(url)) as store:
        filled(store, rng)
        with relaying(url, nats.url, tmp_path) as frozen:
            await _in_mid_stream(nats.url, store, rng)
            frozen.signal(signal.SIGSTOP)
            with relaying(url, nats.url, tmp_path) as other:
                await until(other.failing, lambda found: not found)
                assert other.place() is None, "the frozen one has the lease until its session ends"
                end_other_sessions(url)
                await until(other.place, lambda place: place == EVENTS)
                await _thawed(frozen)
                await asyncio.to_thread(filled, store, rng)
                await until(other.place, lambda place: place == 2 * EVENTS)
        expected = [(each.position, each.state) for each in await asyncio.to_thread(logged, url)]
        assert await held(nats.url) == expected


async def _thawed(relay: RelayProcess) -> None:
    """Go on, with what was on its way, until it has found that it leads no more."""
    relay.signal(signal.SIGCONT)
    await until(lambda: relay.get("/livez")[0], lambda status: status == 200)
    await until(relay.place, lambda place: place is None)
