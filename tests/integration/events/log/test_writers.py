"""G1 and G2 with many writers at once: nothing is doubled, lost or out of order, and a reader never skips an event."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from libs.events import (
    Append,
    EventStore,
    JiraIssueFetched,
    StreamMovedError,
    SyncRequested,
    follow,
    open_store,
)
from tests.unit.made.changes import issue, issue_numbers, later, request

WRITERS = 4
REPOSITORY = Path(__file__).parents[4]


def test_racing_writers_store_each_fact_once(store_url: str, store: EventStore) -> None:
    """All push the same facts, half of them in the opposite order."""

    def write(seed: int) -> None:
        writer = open_store(store_url)
        for batch in range(15):
            numbers = list(range(batch * 20, batch * 20 + 20))[:: -1 if seed % 2 else 1]
            writer.append(Append(changes=[issue(number) for number in numbers]))
        writer.close()

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    recorded = store.read(0, limit=10_000)
    assert sorted(issue_numbers([r.event for r in recorded])) == list(range(300))
    assert {r.event.stream_version for r in recorded} == {1}


def test_racing_updates_leave_contiguous_versions_and_the_newest_last(store_url: str, store: EventStore) -> None:
    rounds = 12

    def write(seed: int) -> None:
        writer = open_store(store_url)
        for moment in range(rounds):
            changes = [issue(number, updated=later(moment), moment=moment) for number in range(10)]
            writer.append(Append(changes=changes[:: -1 if seed % 2 else 1]))
        writer.close()

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    for number in range(10):
        events = [e for e in store.stream(issue(number).event.stream_id) if isinstance(e, JiraIssueFetched)]
        assert [event.stream_version for event in events] == list(range(1, len(events) + 1))
        moments = [event.updated for event in events]
        assert moments == sorted(set(moments))
        assert moments[-1] == later(rounds - 1)


def test_of_racing_batches_with_one_once_key_one_is_stored(store_url: str, store: EventStore) -> None:
    start = threading.Barrier(WRITERS)

    def write(seed: int) -> tuple[bool, bytes]:
        writer = open_store(store_url)
        start.wait()
        done = writer.append(Append(changes=[issue(seed)], idempotency_key="page:1", outcome=b"%d" % seed))
        writer.close()
        return done.repeated, done.outcome

    with ThreadPoolExecutor(WRITERS) as writers:
        answers = list(writers.map(write, range(WRITERS)))
    assert sorted(repeated for repeated, _ in answers) == [False, True, True, True]
    assert len({outcome for _, outcome in answers}) == 1
    assert store.head() == 1


def test_writers_of_the_same_checkpoints_do_not_deadlock(store_url: str, store: EventStore) -> None:
    names = [f"checkpoint/{number}" for number in range(50)]

    def write(seed: int) -> None:
        writer = open_store(store_url)
        for _ in range(25):
            ordered = names[:: -1 if seed % 2 else 1]
            writer.append(Append(checkpoints=dict.fromkeys(ordered, b"%d" % seed)))
        writer.close()

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    assert len(set(store.checkpoints("checkpoint/").values())) == 1


WRITER = """
import sys
from libs.events import Append, open_store
from tests.unit.made.changes import issue
store = open_store(sys.argv[1])
first = int(sys.argv[2]) * 10_000
for batch in range(60):
    store.append(Append(changes=[issue(first + batch * 10 + offset) for offset in range(10)]))
store.close()
"""


def test_a_reader_that_follows_misses_nothing_of_four_processes(store_url: str, store: EventStore) -> None:
    stop = threading.Event()
    seen: list[int] = []
    numbers: list[int] = []

    def read() -> None:
        reader = open_store(store_url)
        for batch in follow(reader, 0, stop, limit=37, timeout=0.2):
            seen.extend(recorded.position for recorded in batch)
            numbers.extend(issue_numbers([recorded.event for recorded in batch]))
            if len(seen) >= WRITERS * 600:
                break
        reader.close()

    reading = threading.Thread(target=read)
    reading.start()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store_url, str(number)], cwd=REPOSITORY)
        for number in range(WRITERS)
    ]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    stored = [recorded.position for recorded in store.read(0, limit=10_000)]
    assert stored == sorted(stored)
    assert len(stored) == WRITERS * 600
    reading.join(timeout=60)
    stop.set()
    reading.join()
    assert seen == stored
    assert sorted(numbers) == sorted(seed * 10_000 + number for seed in range(WRITERS) for number in range(600))


def test_of_racing_decisions_on_one_state_one_is_stored(store_url: str, store: EventStore) -> None:
    stream, rounds = request("").event.stream_id, 15

    def write(seed: int) -> None:
        writer = open_store(store_url)
        for number in range(rounds):
            while True:
                known = len(writer.stream(stream))
                with contextlib.suppress(StreamMovedError):
                    writer.append(Append(changes=[request(f"{seed}-{number} on {known}")], expect={stream: known}))
                    break
        writer.close()

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    decided = [e.request_id for e in store.stream(stream) if isinstance(e, SyncRequested)]
    assert [int(name.rpartition(" ")[2]) for name in decided] == list(range(WRITERS * rounds))
