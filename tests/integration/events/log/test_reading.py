"""Reading the log: in order, by topic, up to a position, waiting for more, past what cannot be decoded."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from libs.events import Append, EventStore, UnreadableEvent, follow
from tests.unit.made.changes import issue, later, request


def test_a_read_is_limited_by_position_number_and_topic(store: EventStore) -> None:
    store.append(Append(changes=[issue(1), request("a"), issue(2), request("b"), issue(3)]))
    assert [r.position for r in store.read(1)] == [2, 3, 4, 5]
    assert [r.position for r in store.read(1, limit=2)] == [2, 3]
    assert [r.position for r in store.read(1, stop=3)] == [2, 3]
    assert [r.position for r in store.read(0, topics=("SyncRequested.v1",))] == [2, 4]


def test_what_is_read_is_what_was_appended(store: EventStore) -> None:
    appended = store.append(Append(changes=[issue(1), request("a")])).appended
    recorded = store.read(0)
    assert [r.event for r in recorded] == list(appended)
    assert [r.topic for r in recorded] == ["JiraIssueFetched.v1", "SyncRequested.v1"]
    assert b'"issue_id":"1"' in recorded[0].raw


def test_a_stream_reads_back_in_order(store: EventStore) -> None:
    for second in range(3):
        store.append(Append(changes=[issue(7, updated=later(second), n=second), issue(8 + second)]))
    assert [event.stream_version for event in store.stream(issue(7).event.stream_id)] == [1, 2, 3]


def test_who_waits_is_told_when_the_process_ends(store: EventStore) -> None:
    with ThreadPoolExecutor() as threads:
        waiting = [threads.submit(store.wait, 0, 3600) for _ in range(3)]
        store.wake()
        assert not any(one.result(60) for one in waiting)
    assert not store.wait(0, 3600)


def test_waiting_ends_when_an_event_comes_and_when_time_is_up(store: EventStore) -> None:
    assert not store.wait(0, 0.05)
    threading.Timer(0.1, lambda: store.append(Append(changes=[issue(1)]))).start()
    assert store.wait(0, 30)
    assert store.wait(0, 0)


def test_following_some_topics_passes_over_the_others(store: EventStore) -> None:
    stop = threading.Event()
    store.append(Append(changes=[issue(number) for number in range(20)]))
    seen: list[int] = []

    def read() -> None:
        for batch in follow(store, 0, stop, topics=("SyncRequested.v1",), timeout=0.05):
            seen.extend(recorded.position for recorded in batch)
            if len(seen) == 2:
                break

    reader = threading.Thread(target=read)
    reader.start()
    store.append(Append(changes=[request("a"), issue(100)]))
    store.append(Append(changes=[issue(101), request("b")]))
    reader.join(timeout=30)
    stop.set()
    assert seen == [21, 24]


def test_an_event_of_a_newer_version_keeps_its_place(store: EventStore, store_url: str) -> None:
    store.append(Append(changes=[issue(1), issue(2), issue(3)]))
    _rename_topic(store, store_url, issue(2).event.stream_id, "FromTheFuture.v9")
    first, second, third = (recorded.event for recorded in store.read(0))
    assert isinstance(second, UnreadableEvent)
    assert "FromTheFuture.v9" in second.why
    assert second.stream_id == issue(2).event.stream_id
    assert not isinstance(first, UnreadableEvent)
    assert not isinstance(third, UnreadableEvent)
    assert isinstance(store.stream(second.stream_id)[0], UnreadableEvent)


def test_what_follows_an_unreadable_event_of_its_stream_is_stored(store: EventStore, store_url: str) -> None:
    store.append(Append(changes=[issue(1, self="a")]))
    _rename_topic(store, store_url, issue(1).event.stream_id, "FromTheFuture.v9")
    assert len(store.append(Append(changes=[issue(1, self="b")])).appended) == 1


def _rename_topic(store: EventStore, url: str, stream: Any, topic: str) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("UPDATE stored_events SET topic = ? WHERE originator_id = ?", (topic, stream.hex))
        connection.close()
        return
    table = Identifier(store._recorder.events_table_name)
    with psycopg.connect(url) as session:
        session.execute(SQL("UPDATE {} SET topic = %s WHERE originator_id = %s").format(table), (topic, stream))
