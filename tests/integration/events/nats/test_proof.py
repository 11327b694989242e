"""Whether NATS takes what is published, asked of a real server: well, gone, full, and spoilt by a full disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from libs.events import Append, EventStore, FanOut, open_store
from libs.events.nats import proof
from tests.eventually import until
from tests.integration.events.nats.publishing import jetstream, relay
from tests.servers.addresses import NatsServer, sqlite_log
from tests.servers.nats import nats_server
from tests.servers.small_disk import small_disk
from tests.unit.made.changes import issue


async def test_it_writes_a_message_of_its_own_and_keeps_one(store: EventStore, nats: NatsServer) -> None:
    fan_out = FanOut(store, nats.url)
    for _ in range(20):
        assert await fan_out.trouble() is None
    async with jetstream(nats.url) as look:
        state = (await look.stream_info(fan_out._ours)).state
        assert (state.messages, state.last_seq) == (1, 20)


async def test_a_server_that_is_gone_or_has_lost_everything(store: EventStore, nats: NatsServer) -> None:
    fan_out = FanOut(store, nats.url)
    assert await fan_out.trouble() is None
    nats.kill()
    assert "takes nothing" in str(await fan_out.trouble())
    nats.start()
    assert await fan_out.trouble() is None
    nats.wipe()
    assert await fan_out.trouble() is None


async def test_a_disk_that_was_full_is_no_trouble_of_ours_for_longer_than_it_lasts(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk, nats_server(disk.folder) as server:
        store = open_store(sqlite_log(tmp_path))
        fan_out = FanOut(store, server.url)
        assert await fan_out.trouble() is None
        disk.fill()
        for _ in range(3):
            assert "takes nothing" in str(await fan_out.trouble())
        disk.free()
        await until(fan_out.trouble, lambda trouble: trouble is None)
        store.close()


async def test_events_that_wait_while_none_gets_through_are_told_though_all_else_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "STUCK_SECONDS", 0.5)
    with small_disk(tmp_path / "disk", 8) as disk, nats_server(disk.folder) as server:
        store = open_store(sqlite_log(tmp_path))
        fan_out = FanOut(store, server.url)
        async with relay(store, server.url, on_position=fan_out.relayed):
            store.append(Append(changes=[issue(number) for number in range(10)]))
            await until(lambda: fan_out._position == 10)
            assert await fan_out.trouble() is None
            disk.fill()
            store.append(Append(changes=[issue(number) for number in range(10, 200)]))
            await until(fan_out.trouble, lambda trouble: trouble is not None and "none gets through" in trouble)
            disk.free()
            await asyncio.to_thread(server.restart)  # as whoever looks after that server does
            await until(fan_out.trouble, lambda trouble: trouble is None)
        store.close()
