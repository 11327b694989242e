"""The relay as a process of its own: what it proves of itself, and that of several one leads."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from libs.events import Append, EventStore, leadership
from tests.eventually import until, wait_until
from tests.integration.events.nats.publishing import stored_positions
from tests.integration.ingestor.relay.running import relaying
from tests.servers.addresses import NatsServer
from tests.unit.made.changes import issue


async def test_it_publishes_the_log_says_so_and_stops(store: EventStore, nats: NatsServer, tmp_path: Path) -> None:
    store.append(Append(changes=[issue(number) for number in range(500)]))
    with relaying(store.url, nats.url, tmp_path) as process:
        await until(process.place, lambda place: place == 500)
        assert await stored_positions(nats.url) == list(range(1, 501))
        await until(process.failing, lambda found: not found)
        metrics = process.get("/metrics")[1]
        assert 'jdi_build_info{service="relay"' in metrics
        assert 'jdi_lag_seconds{service="relay"} 0.0' in metrics

        await asyncio.to_thread(nats.kill)
        await until(process.failing, lambda found: set(found) == {"nats"})
        assert process.get("/livez")[0] == 200
        process.signal(signal.SIGTERM)
        assert process.ended() == 0, process.said


async def test_beside_an_ingestor_of_a_former_version_it_waits_and_is_well(
    store: EventStore, nats: NatsServer, tmp_path: Path
) -> None:
    """Such an ingestor relays itself, under the same lease: the database lets one of them lead."""
    store.append(Append(changes=[issue(1)]))
    async with leadership(store.url, "relay") as lease:
        assert lease is not None
        with relaying(store.url, nats.url, tmp_path) as process:
            await until(process.failing, lambda found: not found)
            assert process.place() is None
            process.signal(signal.SIGTERM)
            assert process.ended() == 0
    with relaying(store.url, nats.url, tmp_path) as process:
        await until(process.place, lambda place: place == 1)


def test_without_its_servers_it_lives_and_says_what_it_waits_for(store: EventStore, tmp_path: Path) -> None:
    with relaying(store.url, "nats://127.0.0.1:9", tmp_path) as process:
        wait_until(process.failing, lambda found: set(found) == {"nats"} and "127.0.0.1:9" in found["nats"])
    with relaying("postgresql://jdi@127.0.0.1:9/jdi", "nats://127.0.0.1:9", tmp_path) as process:
        wait_until(process.failing, lambda found: "cannot be opened" in found.get("event_log", ""))
