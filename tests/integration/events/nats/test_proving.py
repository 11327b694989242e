"""The relay proves that the stream holds the log: what others publish is passed over, what is missing comes again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from libs.events import Append, EventStore, Foreign, Recorded, Watcher, migrate, open_store, run_relay
from libs.events.log.digests import digest
from libs.events.log.encoding.compressor import Zstandard
from libs.events.nats.belonging import Seals
from libs.events.nats.checkpoint import MARK, created, key_of, read_mark
from libs.events.nats.cloudevents import headers_of, subject_of
from libs.events.nats.stored import Stored, forwards
from libs.runtime import Stop
from tests.eventually import until
from tests.integration.events.nats.publishing import jetstream, messages
from tests.servers.addresses import NatsServer
from tests.unit.made.changes import issue

SUBJECT = "jira.acme.KEY.issue.jira_issue_fetched"


class Heard(Watcher):
    def __init__(self) -> None:
        self.messages: list[Foreign] = []
        self.again: list[int] = []
        self.why: list[str | None] = []

    def foreign(self, messages: Sequence[Foreign]) -> None:
        self.messages += messages

    def repaired(self, positions: Sequence[int]) -> None:
        self.again += positions

    def other_life(self, why: str | None) -> None:
        self.why.append(why)


@contextlib.asynccontextmanager
async def relay(store: EventStore, url: str) -> AsyncIterator[Heard]:
    """A relay, and what it was heard to say."""
    stop, heard = Stop(), Heard()
    task = asyncio.create_task(run_relay(store, url, stop, watcher=heard))
    try:
        yield heard
    finally:
        stop.set()
        await task


async def kept(url: str) -> list[Stored]:
    """All messages of the stream, which may have holes."""
    async with jetstream(url) as js:
        last = (await js.stream_info("JIRA")).state.last_seq
        return [message async for found in forwards(js._nc, "JIRA", 1, last) for message in found]


async def until_held(url: str, store: EventStore) -> None:
    """Wait until each event of the log is in the stream, byte by byte."""

    async def lacking() -> set[int]:
        held = {(message.headers.get("ce-id"), message.body) for message in await kept(url)}
        return {each.position for each in store.read(0, 10_000) if (str(each.position), each.raw) not in held}

    await until(lacking, lambda found: not found, despite=(Exception,))


async def publish_as_former_version(js: JetStreamContext, recorded: Recorded, sequence: int) -> None:
    """As relays did before messages were sealed and chained."""
    headers = {**headers_of(recorded), "Nats-Expected-Last-Sequence": str(sequence)}
    await js.publish(subject_of(recorded), recorded.raw, headers=headers)


@contextlib.asynccontextmanager
async def empty_stream(url: str) -> AsyncIterator[JetStreamContext]:
    async with jetstream(url) as js:
        await js.add_stream(StreamConfig(name="JIRA", subjects=["jira.>"]))
        yield js


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/log.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as store:
        yield store


async def test_a_gap_that_a_former_version_left_is_closed(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(300)]))
    async with empty_stream(nats.url) as js:
        for sequence, recorded in enumerate(store.read(0, 300)):
            if recorded.position in (120, 121, 200):
                await js.publish("jira.somebody", b"in between")
            else:
                await publish_as_former_version(js, recorded, sequence)
    async with relay(store, nats.url) as heard:
        store.append(Append(changes=[issue(1000)]))
        await until_held(nats.url, store)
        assert heard.again == [120, 121, 200]
        assert [each.sequence for each in heard.messages] == [120, 121, 200]
        await until(lambda: read_mark(store), lambda mark: mark is not None and mark.position == 301)
    async with relay(store, nats.url) as heard:
        store.append(Append(changes=[issue(1001)]))
        await until_held(nats.url, store)
    assert (heard.again, heard.messages) == ([], [])
    assert len(await messages(nats.url)) == 305


async def test_the_first_event_is_missed_too(sqlite: EventStore, nats: NatsServer) -> None:
    sqlite.append(Append(changes=[issue(1), issue(2)]))
    async with empty_stream(nats.url) as js:
        await js.publish("jira.somebody", b"before all")
        await publish_as_former_version(js, sqlite.read(1, 1)[0], 1)
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
    assert heard.again == [1]


@pytest.mark.parametrize("message_id", ["strange", str(2**63), "1_0", "1", "77"])
async def test_whatever_id_a_foreign_message_has_nothing_stops(
    sqlite: EventStore, nats: NatsServer, message_id: str
) -> None:
    sqlite.append(Append(changes=[issue(1), issue(2)]))
    async with relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)
    async with jetstream(nats.url) as js:
        headers = {"ce-id": message_id} if message_id == "1" else {"Nats-Msg-Id": message_id, "ce-id": message_id}
        await js.publish(SUBJECT, b"not ours", headers=headers)
    sqlite.append(Append(changes=[issue(3)]))
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
        sqlite.append(Append(changes=[issue(4)]))
        await until_held(nats.url, sqlite)
    [found] = heard.messages
    assert (found.sequence, found.subject) == (3, SUBJECT)
    assert set(heard.why) == {None}


async def test_an_id_that_somebody_has_taken_keeps_no_event_out(sqlite: EventStore, nats: NatsServer) -> None:
    """Within its window the server takes our message for a repetition, and says that it has it."""
    sqlite.append(Append(changes=[issue(1)]))
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
        async with jetstream(nats.url) as js:
            for coming in (2, 3, 5):
                await js.publish(SUBJECT, b"not ours", headers={"Nats-Msg-Id": str(coming)})
        sqlite.append(Append(changes=[issue(number) for number in range(2, 8)]))
        await until_held(nats.url, sqlite)
    assert [each.takes for each in heard.messages] == [2, 3, 5]


async def test_many_taken_ids_are_learnt_at_once_after_a_restart(sqlite: EventStore, nats: NatsServer) -> None:
    async with relay(sqlite, nats.url) as heard:
        await until(lambda: heard.why)
        async with jetstream(nats.url) as js:
            for coming in range(1, 150):
                await js.publish(SUBJECT, b"not ours", headers={"Nats-Msg-Id": str(coming)})
        await until(lambda: heard.messages, lambda found: len(found) == 149)
        await until(lambda: read_mark(sqlite), lambda mark: mark is not None and mark.sequence == 149)
    sqlite.append(Append(changes=[issue(number) for number in range(200)]))
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
    assert len(await messages(nats.url)) == 349


async def test_a_forged_later_event_is_no_other_life(sqlite: EventStore, nats: NatsServer) -> None:
    sqlite.append(Append(changes=[issue(1), issue(2)]))
    async with relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)
    [_, last] = await messages(nats.url)
    async with jetstream(nats.url) as js:
        for later in ("3", "4", "900"):
            headers = {**(last.headers or {}), "ce-id": later, "Nats-Msg-Id": later}
            headers = {name: value for name, value in headers.items() if not name.startswith("Nats-Expected")}
            await js.publish(SUBJECT, last.data or b"", headers=headers)
    sqlite.append(Append(changes=[issue(number) for number in range(3, 7)]))
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
    assert len(heard.messages) == 3
    assert set(heard.why) == {None}


async def test_copies_are_foreign(sqlite: EventStore, nats: NatsServer) -> None:
    sqlite.append(Append(changes=[issue(1)]))
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
        [ours] = await messages(nats.url)
        async with jetstream(nats.url) as js:
            headers = {n: v for n, v in (ours.headers or {}).items() if not n.startswith("Nats-")}
            await js.publish(SUBJECT, ours.data or b"", headers=headers)
        await until(lambda: heard.messages)
        sqlite.append(Append(changes=[issue(2)]))
        await until_held(nats.url, sqlite)
    assert [each.why for each in heard.messages] == ["a copy of event 1"]


async def test_a_body_left_in_the_log_is_not_believed_of_a_small_event(sqlite: EventStore, nats: NatsServer) -> None:
    sqlite.append(Append(changes=[issue(1), issue(2)]))
    async with empty_stream(nats.url) as js:
        await js.publish(SUBJECT, b"", headers=headers_of(sqlite.read(0, 1)[0], referenced=True))
    async with relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)


async def test_a_log_that_went_back_stops_the_relay_alone_until_that_is_settled(
    tmp_path: Path, nats: NatsServer
) -> None:
    """Restored by hand, without `jdi restore`: syncs may go on, and the relay says what there is to do."""
    url, copy = f"sqlite:///{tmp_path}/log.db", tmp_path / "copy.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as store:
        store.append(Append(changes=[issue(1), issue(2)]))
        async with relay(store, nats.url):
            await until_held(nats.url, store)
    shutil.copy(tmp_path / "log.db", copy)
    with contextlib.closing(open_store(url)) as store:
        store.append(Append(changes=[issue(3), issue(4)]))
        async with relay(store, nats.url):
            await until_held(nats.url, store)
    for leftover in tmp_path.glob("log.db*"):
        leftover.unlink()
    copy.rename(tmp_path / "log.db")
    with contextlib.closing(open_store(url)) as store:
        async with relay(store, nats.url) as heard:
            await until(lambda: heard.why)
            assert "ends at event 2" in (heard.why[-1] or "")
            assert "jdi restore --finish" in (heard.why[-1] or "")
            store.append(Append(changes=[issue(30), issue(40), issue(50)]))
            await until(lambda: heard.why, lambda why: "has another event 3" in (why[-1] or ""))
            assert len(await messages(nats.url)) == 4
            async with jetstream(nats.url) as js:
                await js.delete_stream("JIRA")
            await until_held(nats.url, store)
            await until(lambda: heard.why, lambda why: why[-1] is None)


async def test_a_log_that_lost_its_end_is_told_by_what_was_proven(sqlite: EventStore, nats: NatsServer) -> None:
    sqlite.append(Append(changes=[issue(number) for number in range(5)]))
    async with relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)
        await until(lambda: read_mark(sqlite), lambda mark: mark is not None and mark.position == 5)
    with contextlib.closing(sqlite3.connect(sqlite.url.removeprefix("sqlite:///"))) as database:
        database.execute("DELETE FROM stored_events WHERE rowid > 3")
        database.commit()
    async with relay(sqlite, nats.url) as heard:
        await until(lambda: heard.why, lambda why: why and "ends at event 3" in (why[-1] or ""))


async def test_a_hole_in_a_stream_of_an_operator_is_filled_when_nothing_was_proven(
    sqlite: EventStore, nats: NatsServer
) -> None:
    sqlite.append(Append(changes=[issue(number) for number in range(1, 6)]))
    async with empty_stream(nats.url) as js:
        for sequence, recorded in enumerate(sqlite.read(0, 5)):
            await publish_as_former_version(js, recorded, sequence)
        await js.delete_msg("JIRA", 3)
    async with relay(sqlite, nats.url) as heard:
        await until(lambda: heard.again, lambda again: again == [3])


async def test_a_stream_made_anew_at_the_same_length_is_not_taken_for_the_old(
    sqlite: EventStore, nats: NatsServer
) -> None:
    sqlite.append(Append(changes=[issue(1), issue(2)]))
    async with relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)
        async with jetstream(nats.url) as js:
            await js.delete_stream("JIRA")
            await js.add_stream(StreamConfig(name="JIRA", subjects=["jira.>"]))
            for _ in range(2):
                await js.publish("jira.somebody", b"x")
        await until_held(nats.url, sqlite)


async def test_texts_of_others_are_safe_to_print(sqlite: EventStore, nats: NatsServer) -> None:
    async with relay(sqlite, nats.url) as heard:
        await until(lambda: heard.why)
        async with jetstream(nats.url) as js:
            await js.publish("jira.\u202eevil", b"", headers={"Nats-Msg-Id": "x" * 500 + "\x1b[2J"})
        await until(lambda: heard.messages)
    [found] = heard.messages
    assert str(found).isprintable()
    assert len(str(found)) < 250


LOST: Final = {
    "the first": [1],
    "the beginning": [*range(1, 151)],
    "in between": [*range(40, 90), 120, *range(200, 290)],
    "the end": [*range(250, 301)],
    "both ends": [*range(1, 20), *range(290, 301)],
    "all": [*range(1, 301)],
}
"""Sequences of a stream of 300, which a damaged file takes with it."""


async def lose(url: str, sequences: Sequence[int]) -> None:
    async with jetstream(url) as js:
        for sequence in sequences:
            await js.delete_msg("JIRA", sequence)


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "before it starts"])
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST.keys())
async def test_what_nats_has_lost_comes_again(
    sqlite: EventStore, nats: NatsServer, lost: Sequence[int], running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the stream ends as before, and twice."""
    monkeypatch.setattr("libs.events.nats.relay.AUDIT_SECONDS", 0.1)
    monkeypatch.setattr("libs.events.nats.relay.MARK_SECONDS", 0.1)
    sqlite.append(Append(changes=[issue(number) for number in range(300)]))
    async with empty_stream(nats.url), relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)
        await until(lambda: read_mark(sqlite), lambda mark: mark is not None and mark.position == 300)
        if running:
            await lose(nats.url, lost)
            await until_held(nats.url, sqlite)
    await lose(nats.url, [(await kept(nats.url))[-1].sequence] if running else lost)
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
        sqlite.append(Append(changes=[issue(1000)]))
        await until_held(nats.url, sqlite)
        await until(lambda: read_mark(sqlite), lambda mark: mark is not None and mark.position == 301)
    assert set(heard.why) == {None}
    assert not heard.messages
    async with relay(sqlite, nats.url) as heard:
        sqlite.append(Append(changes=[issue(1001)]))
        await until_held(nats.url, sqlite)
    assert (heard.again, heard.messages) == ([], [])


async def test_what_comes_of_age_is_not_missed(
    sqlite: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.events.nats.relay.AUDIT_SECONDS", 0.1)
    monkeypatch.setattr("libs.events.nats.relay.MARK_SECONDS", 0.1)
    sqlite.append(Append(changes=[issue(number) for number in range(20)]))
    async with jetstream(nats.url) as js, relay(sqlite, nats.url) as heard:
        await js.add_stream(StreamConfig(name="JIRA", subjects=["jira.>"], max_age=3))
        await until(lambda: js.stream_info("JIRA"), lambda info: info.state.last_seq >= 20)
        await until(lambda: js.stream_info("JIRA"), lambda info: info.state.messages == 0)
        sqlite.append(Append(changes=[issue(100)]))
        await until(lambda: js.stream_info("JIRA"), lambda info: info.state.last_seq > 20 and not info.state.messages)
    assert heard.again == []


async def test_what_an_older_relay_could_not_read_is_published_again(sqlite: EventStore, nats: NatsServer) -> None:
    """It took compressed events for unreadable ones, and published what is stored."""
    sqlite.append(Append(changes=[issue(number, summary="long " * 200) for number in range(10)]))
    async with relay(sqlite, nats.url):
        await until_held(nats.url, sqlite)
        await until(lambda: read_mark(sqlite), lambda mark: mark is not None and mark.position == 10)
    sqlite.append(Append(changes=[issue(number, summary="long " * 200) for number in range(10, 15)]))
    async with jetstream(nats.url) as js:
        info, key = await js.stream_info("JIRA"), key_of(sqlite)
        assert key is not None
        seals = Seals(key, created(info))
        for sequence, recorded in enumerate(sqlite.read(10, 100), 10):
            unread = recorded._replace(raw=Zstandard().compress(recorded.raw))
            headers = {**headers_of(unread), "Nats-Expected-Last-Sequence": str(sequence)}
            headers["jdi-seal"] = seals.of(sequence + 1, headers)
            await js.publish(subject_of(unread), unread.raw, headers=headers)
    mark = read_mark(sqlite)
    assert mark is not None
    older = msgspec.structs.replace(mark, sequence=15, position=15, digest=digest(unread.raw).hex(), version=1)
    sqlite.append(Append(checkpoints={MARK: msgspec.json.encode(older)}))
    async with relay(sqlite, nats.url) as heard:
        await until_held(nats.url, sqlite)
    assert [each.sequence for each in heard.messages] == [*range(11, 16)]
