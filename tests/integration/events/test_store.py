"""G1 and G2 on both databases: what changed is stored exactly once, and a reader of the log never misses an event."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from libs.events import Append, EventStore, StoreVersionError, UnreadableEvent, follow, migrate, open_store
from tests.integration.events.made import THEN, issue, request
from tests.servers import PostgresServer

LATER = THEN + timedelta(seconds=1)


def test_the_same_again_appends_nothing(store: EventStore) -> None:
    batch = Append(changes=[issue(number) for number in range(100)])
    assert len(store.append(batch).appended) == 100
    assert store.append(batch).appended == ()
    assert store.head() == 100


@pytest.mark.parametrize(
    ("second", "appended"),
    [
        (issue(1, updated=LATER, summary="new"), 1),
        (issue(1, updated=THEN - timedelta(seconds=1), summary="old"), 0),
        (issue(1, updated=THEN, summary="changed without a new date"), 1),
        (issue(1, updated=THEN, summary="first", self="another address", lastViewed="now"), 0),
        (issue(1, updated=THEN, summary="first", reporter=None), 1),
    ],
    ids=["newer", "older", "same date, other content", "same date, volatile keys", "same date, a key more"],
)
def test_what_comes_second_is_judged_by_date_and_content(store: EventStore, second: object, appended: int) -> None:
    store.append(Append(changes=[issue(1, summary="first")]))
    assert len(store.append(Append(changes=[second])).appended) == appended  # type: ignore[list-item]


def test_a_renamed_user_inside_a_payload_is_no_change_of_it(store: EventStore) -> None:
    store.append(Append(changes=[issue(1, reporter={"accountId": "a", "displayName": "Anne"})]))
    renamed = issue(1, reporter={"accountId": "a", "displayName": "Anna"})
    assert store.append(Append(changes=[renamed])).appended == ()


def test_payloads_are_kept_byte_for_byte(store: EventStore) -> None:
    change = issue(1, text="ä \U0001f600 \u202e", estimate=1.50)
    store.append(Append(changes=[change]))
    (recorded,) = store.read(0)
    assert bytes(recorded.event.payload) == bytes(change.event.payload)  # type: ignore[attr-defined]


def test_racing_writers_store_each_fact_once(store_url: str) -> None:
    """Four writers push the same facts in different order; versions stay contiguous, nothing is doubled or lost."""

    def write(seed: int) -> None:
        store = open_store(store_url)
        for batch in range(15):
            numbers = [(batch * 20 + offset) for offset in range(20)]
            if seed % 2:
                numbers.reverse()
            store.append(Append(changes=[issue(number) for number in numbers]))
        store.close()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    store = open_store(store_url)
    recorded = store.read(0, limit=10_000)
    assert sorted(int(r.event.issue_id) for r in recorded) == list(range(300))  # type: ignore[attr-defined]
    assert {r.event.stream_version for r in recorded} == {1}
    store.close()


WRITER = """
import sys
from libs.events import Append, open_store
from tests.integration.events.made import issue
store = open_store(sys.argv[1])
first = int(sys.argv[2]) * 10_000
for batch in range(60):
    store.append(Append(changes=[issue(first + batch * 10 + offset) for offset in range(10)]))
store.close()
"""


def test_a_reader_that_follows_misses_nothing_of_four_writers(store_url: str) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        store = open_store(store_url)
        for batch in follow(store, 0, stop, limit=37, timeout=0.2):
            seen.extend(recorded.position for recorded in batch)
        store.close()

    reader = threading.Thread(target=read)
    reader.start()
    root = Path(__file__).parents[3]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store_url, str(number)], cwd=root) for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    store = open_store(store_url)
    stored = [recorded.position for recorded in store.read(0, limit=10_000)]
    assert len(stored) == 2400
    for _ in range(100):
        if seen and seen[-1] == stored[-1]:
            break
        store.wait(stored[-1], 0.1)
    stop.set()
    reader.join()
    store.close()
    assert seen == stored


def test_a_batch_with_a_once_key_is_stored_once_and_answers_the_same(store: EventStore) -> None:
    first = store.append(
        Append(
            changes=[issue(1)],
            marks={"cursor": b"1"},
            once="page:1",
            closing=lambda new: ([request("closing")], b"%d new" % new),
        )
    )
    again = store.append(Append(changes=[issue(2)], marks={"cursor": b"2"}, once="page:1"))
    assert first.outcome == again.outcome == b"1 new"
    assert again.repeated
    assert store.mark("cursor") == b"1"
    assert store.head() == 2
    assert store.outcome("page:1") == b"1 new"
    assert store.outcome("page:2") is None


def test_a_batch_is_stored_whole_or_not_at_all(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash after the events are written, before the marks are: nothing of the batch is there."""
    recorder = store._recorder

    class Crash(Exception):
        pass

    def crash(*_: object) -> None:
        raise Crash

    if hasattr(recorder, "_write_marks"):
        monkeypatch.setattr(recorder, "_write_marks", crash)
        marks = {"cursor": b"1"}
    else:
        marks = {"cursor": object()}  # type: ignore[dict-item]
    with pytest.raises(Exception):  # noqa: B017, PT011 - each database has its own
        store.append(Append(changes=[issue(1)], marks=marks, once="page:1"))
    assert store.head() == 0
    assert store.outcome("page:1") is None
    assert store.mark("cursor") is None


def test_marks_are_set_kept_listed_and_forgotten(store: EventStore) -> None:
    store.append(Append(marks={"a/1": b"1", "a/2": b"2", "b_1": b"3"}))
    store.append(Append(marks={"a/1": b"new"}, insert_marks={"a/2": b"ignored", "a/3": b"3"}))
    assert store.marks("a/") == {"a/1": b"new", "a/2": b"2", "a/3": b"3"}
    store.append(Append(forget=["a/*", "none"]))
    assert store.marks("") == {"b_1": b"3"}


def test_large_batches_do_not_hang(store: EventStore) -> None:
    for round_ in range(20):
        text = f"{round_}" * 5000
        store.append(Append(changes=[issue(round_ * 100 + number, text=text) for number in range(100)]))
    assert store.head() == 2000


def test_a_stream_reads_back_in_order(store: EventStore) -> None:
    for second in range(3):
        store.append(Append(changes=[issue(7, updated=THEN + timedelta(seconds=second), n=second)]))
    assert [event.stream_version for event in store.stream(issue(7).event.stream_id)] == [1, 2, 3]


def test_waiting_ends_when_an_event_comes_and_when_time_is_up(store: EventStore) -> None:
    assert not store.wait(0, 0.05)
    threading.Timer(0.1, lambda: store.append(Append(changes=[issue(1)]))).start()
    assert store.wait(0, 30)


def test_an_event_of_a_newer_version_keeps_its_place(store: EventStore, store_url: str) -> None:
    store.append(Append(changes=[issue(1), issue(2), issue(3)]))
    statement = "UPDATE stored_events SET topic = 'FromTheFuture.v9' WHERE originator_id = "
    if store_url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(store_url.removeprefix("sqlite:///")) as connection:
            connection.execute(statement + "?", (issue(2).event.stream_id.hex,))
        connection.close()
    else:
        with psycopg.connect(store_url) as connection:
            connection.execute(
                statement.replace("stored_events", store._recorder.events_table_name) + "%s",  # type: ignore[arg-type]
                (issue(2).event.stream_id,),
            )
    first, second, third = (recorded.event for recorded in store.read(0))
    assert isinstance(second, UnreadableEvent)
    assert "FromTheFuture.v9" in second.why
    assert second.stream_id == issue(2).event.stream_id
    assert not isinstance(first, UnreadableEvent)
    assert not isinstance(third, UnreadableEvent)


def test_without_migration_the_log_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(StoreVersionError, match="jdi migrate"):
        open_store(f"sqlite:///{tmp_path / 'new.db'}")


def test_several_processes_may_migrate_at_once(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [url] * 4))
    open_store(url).close()
