"""Whatever somebody else publishes, and whenever: the stream holds the log, no process ends, each kind is told once.

2 trials by default. More, or certain ones: ``HOSTILE_TRIALS=200 pytest tests/acceptance/stream``, or
``HOSTILE_TRIALS=17,30-39``. ``HOSTILE_REPORT=FILE`` takes a line for each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

import nats as nats_client
import pytest
from nats.errors import Error as NatsError

from libs.events import Append, EventStore, open_store, subscribe
from tests.acceptance.seeds import seeds_of
from tests.acceptance.stream.hostile import Hostile
from tests.acceptance.stream.judge import alerts, differences, held, logged
from tests.eventually import until
from tests.servers.addresses import NatsServer
from tests.unit.made.changes import issue


@pytest.mark.parametrize("trial", seeds_of("HOSTILE_TRIALS", 2))
async def test_the_stream_holds_the_log(trial: int, log_url: str, tmp_path: Path, nats: NatsServer) -> None:
    rng = random.Random(trial)
    with contextlib.closing(open_store(log_url)) as store:
        relaying = Relaying(log_url, nats.url, tmp_path)
        try:
            await _lives_beside_a_hostile_publisher(trial, rng, log_url, store, nats, relaying, tmp_path)
        finally:
            await relaying.kill()


async def _lives_beside_a_hostile_publisher(
    trial: int, rng: random.Random, url: str, store: EventStore, nats: NatsServer, relaying: Relaying, folder: Path
) -> None:
    number = rng.choice((0, 1, 30, 300, 900))
    store.append(Append(changes=[issue(each, text="x" * rng.randint(0, 3000)) for each in range(number)]))
    hostile = Hostile(rng, nats.url, lambda: logged(url)[-400:])
    if rng.random() < 0.9:
        # The publisher is there as soon as the stream is, and while it is filled.
        await relaying.start()
        await _stream_is_there(nats)
    busy = asyncio.create_task(hostile.publish_for(0.7 + rng.random() * 1.3, rng.choice((0.002, 0.02, 0.1))))
    await relaying.start()
    while not busy.done():
        some = rng.choice((0, 1, 1, 3, 40, 250))
        await asyncio.to_thread(store.append, Append(changes=[issue(number + each) for each in range(some)]))
        number += some
        chance = rng.random()
        if chance < 0.05:
            await relaying.kill()
        elif chance < 0.08:
            await asyncio.to_thread(nats.restart)
        await relaying.start()
        await asyncio.sleep(rng.random() * 0.3)
    await busy
    began = asyncio.get_running_loop().time()

    foreign = 0

    async def wrong() -> list[str]:
        nonlocal foreign
        client = await nats_client.connect(nats.url)
        try:
            log, messages = await asyncio.to_thread(logged, url), await held(client)
        finally:
            await client.close()
        foreign = len(messages) - len(log)
        return differences(log, messages)

    await until(wrong, lambda found: not found, despite=(NatsError, OSError))
    seconds = asyncio.get_running_loop().time() - began
    raised = await until(lambda: alerts(logged(url)), lambda found: found["FOREIGN_MESSAGE"] or not foreign)
    await until(wrong, lambda found: not found, despite=(NatsError, OSError))
    await _a_subscriber_reads_it_all(nats.url, {each.position for each in logged(url)})
    assert relaying.crashes == []
    assert set(raised) <= {"FOREIGN_MESSAGE", "STREAM_GAP"}
    assert max(raised.values(), default=0) <= 1
    await relaying.end()
    assert relaying.crashes == []
    _kept(seconds, trial, folder)
    where = "PostgreSQL" if trial % 2 else "SQLite"
    _report(f"{trial} {where} {seconds:.1f} s {number} events {foreign} foreign {dict(raised)}\n")


def _kept(seconds: float, trial: int, folder: Path) -> None:
    if seconds > 5 and (report := os.environ.get("HOSTILE_REPORT")):
        shutil.copy(folder / "relaying.log", f"{report}.{trial}.log")


def _report(line: str) -> None:
    if report := os.environ.get("HOSTILE_REPORT"):
        with Path(report).open("a") as lines:
            lines.write(line)


async def _stream_is_there(nats: NatsServer) -> None:
    async def found() -> object:
        client = await nats_client.connect(nats.url)
        try:
            return await client.jetstream().stream_info("JIRA")
        finally:
            await client.close()

    await until(found, despite=(NatsError, OSError))


async def _a_subscriber_reads_it_all(url: str, positions: set[int]) -> None:
    deliveries = subscribe(url, durable="reader")
    async with asyncio.timeout(180), contextlib.aclosing(deliveries):
        while positions:
            delivery = await anext(deliveries)
            await delivery.ack()
            positions.discard(delivery.position)


class Relaying:
    """The process of the relay: started again where it was killed; where it ends by itself, that is a crash."""

    def __init__(self, url: str, nats_url: str, folder: Path) -> None:
        self._environ = os.environ | {"DATABASE_URL": url, "NATS_URL": nats_url, "JIRA_SITE": "acme"}
        self._log = folder / "relaying.log"
        self._process: Process | None = None
        self.crashes: list[str] = []

    async def start(self) -> None:
        if self._process is not None and self._process.returncode is not None:
            self.crashes.append(f"ended with {self._process.returncode}: {self._log.read_text()[-2000:]}")
            self._process = None
        if self._process is None:
            with self._log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "services.ingestor.relay"), env=self._environ, stdout=output, stderr=output
                )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def end(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        if await self._process.wait() != 0:
            self.crashes.append(f"ended with {self._process.returncode}: {self._log.read_text()[-2000:]}")
