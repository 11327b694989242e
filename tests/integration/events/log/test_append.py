"""G1 on both databases: what changed is stored exactly once, with what its writer must remember, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events import AbsenceReason, Append, Change, EventStore, JiraIssueGone, StreamMovedError, open_store
from tests.eventually import wait_until
from tests.unit.made.changes import THEN, issue, issue_numbers, later, request, user

REPOSITORY = Path(__file__).parents[4]


def test_the_same_again_appends_nothing(store: EventStore) -> None:
    batch = Append(changes=[issue(number) for number in range(100)])
    assert store.append(batch).positions == tuple(range(1, 101))
    assert store.append(batch).appended == ()
    assert store.head() == 100


@pytest.mark.parametrize(
    ("second", "appended"),
    [
        (issue(1, updated=later(1), summary="new"), 1),
        (issue(1, updated=later(-1), summary="old"), 0),
        (issue(1, updated=THEN, summary="changed without a new date"), 1),
        (issue(1, updated=THEN, summary="first", self="another address", lastViewed="now"), 0),
        (issue(1, updated=THEN, summary="first", reporter=None), 1),
    ],
    ids=["newer", "older", "same date, other content", "same date, volatile keys", "same date, a key more"],
)
def test_what_comes_second_is_judged_by_date_and_content(store: EventStore, second: Change, appended: int) -> None:
    store.append(Append(changes=[issue(1, summary="first")]))
    assert len(store.append(Append(changes=[second])).appended) == appended


def test_a_volatile_change_is_compared_once(store: EventStore) -> None:
    """The head takes the digest of the bytes seen last, so the same bytes are known at once the next time."""
    store.append(Append(changes=[issue(1, self="one address")]))
    again = issue(1, self="another address")
    store.append(Append(changes=[again]))
    (head,) = store._recorder.heads([again.event.stream_id]).values()
    assert (head.version, head.digest) == (1, again.digest)


def test_a_renamed_user_inside_a_payload_is_no_change_of_it(store: EventStore) -> None:
    store.append(Append(changes=[issue(1, reporter={"accountId": "a", "displayName": "Anne"})]))
    renamed = issue(1, reporter={"accountId": "a", "displayName": "Anna"})
    assert store.append(Append(changes=[renamed])).appended == ()


def test_a_renamed_user_is_a_change_of_the_user(store: EventStore) -> None:
    store.append(Append(changes=[user(displayName="Anne", avatarUrls={"16x16": "a"})]))
    assert store.append(Append(changes=[user(displayName="Anne", avatarUrls={"16x16": "b"})])).appended == ()
    assert len(store.append(Append(changes=[user(displayName="Anna", avatarUrls={"16x16": "b"})])).appended) == 1


def test_one_batch_may_name_an_entity_several_times(store: EventStore) -> None:
    batch = [
        issue(1, summary="a"),
        issue(1, summary="a", self="x"),
        issue(1, updated=later(1), summary="b"),
        issue(1, summary="late"),
    ]
    appended = store.append(Append(changes=batch)).appended
    assert [event.stream_version for event in appended] == [1, 2]
    assert appended[1].occurred_at == later(1)


def test_what_was_gone_and_is_seen_again_is_stored_again(store: EventStore) -> None:
    seen = issue(1)
    gone = JiraIssueGone(
        stream_id=seen.event.stream_id,
        site="acme",
        project="KEY",
        occurred_at=later(1),
        cause="test",
        issue_id="1",
        reason=AbsenceReason.HIDDEN,
    )
    for change in (seen, Change(event=gone), seen):
        assert len(store.append(Append(changes=[change])).appended) == 1
    assert [type(event).__name__ for event in store.stream(seen.event.stream_id)] == [
        "JiraIssueFetched",
        "JiraIssueGone",
        "JiraIssueFetched",
    ]


def test_payloads_are_kept_byte_for_byte(store: EventStore) -> None:
    change = issue(1, text="ä \U0001f600 \u202e", estimate=1.50)
    store.append(Append(changes=[change]))
    (recorded,) = store.read(0)
    assert bytes(recorded.event.payload) == bytes(change.event.payload)  # type: ignore[attr-defined]


def test_a_batch_with_an_idempotency_key_is_stored_once_and_answers_the_same(store: EventStore) -> None:
    def closing(new: int) -> tuple[Sequence[Change], bytes]:
        return [request("closing")], b"%d new" % new

    first = store.append(
        Append(
            changes=[issue(1), request("first")],
            checkpoints={"cursor": b"1"},
            idempotency_key="page:1",
            closing=closing,
        )
    )
    again = store.append(Append(changes=[issue(2)], checkpoints={"cursor": b"2"}, idempotency_key="page:1"))
    assert first.outcome == again.outcome == b"2 new"
    assert [event.stream_version for event in first.appended] == [1, 1, 2]
    assert again.repeated
    assert store.checkpoint("cursor") == b"1"
    assert store.head() == 3
    assert store.outcome("page:1") == b"2 new"
    assert store.outcome("page:2") is None


def test_a_batch_is_stored_whole_or_not_at_all(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks after the events are written, before the checkpoints are: nothing of the batch is there."""

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    batch = Append(changes=[issue(1)], checkpoints={"cursor": b"1"}, idempotency_key="page:1")
    monkeypatch.setattr(store._recorder, "_write_checkpoints", breaks)
    with pytest.raises(ZeroDivisionError):
        store.append(batch)
    monkeypatch.undo()
    assert store.head() == 0
    assert store.outcome("page:1") is None
    assert store.checkpoint("cursor") is None
    assert store._recorder.heads([issue(1).event.stream_id]) == {}
    assert len(store.append(batch).appended) == 1


PAGES = """
import sys
from libs.events import Append, open_store
from tests.unit.made.changes import issue
store = open_store(sys.argv[1])
for page in range(100_000):
    issues = [issue(page * 20 + number, text="x" * 2000) for number in range(20)]
    done = b"%d" % page
    store.append(Append(changes=issues, checkpoints={"cursor": done}, idempotency_key=f"page:{page}", outcome=done))
"""


def test_a_killed_writer_leaves_whole_pages_only(store: EventStore, store_url: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", PAGES, store_url], cwd=REPOSITORY)
    for target in (200, 700, 1500):
        _until_it_holds(store, target)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    _let_the_database_notice(store)
    numbers = issue_numbers([recorded.event for recorded in store.read(0, limit=1_000_000)])
    pages = len(numbers) // 20
    assert numbers == list(range(pages * 20))
    assert store.checkpoint("cursor") == store.outcome(f"page:{pages - 1}") == b"%d" % (pages - 1)
    assert store.outcome(f"page:{pages}") is None


def _until_it_holds(store: EventStore, position: int) -> None:
    wait_until(store.head, lambda head: head >= position)


def _let_the_database_notice(store: EventStore) -> None:
    """PostgreSQL may still be committing what the killed writer had sent: wait until its lock is free."""
    store.append(Append(checkpoints={"after": b""}))


def test_checkpoints_are_set_kept_listed_and_forgotten(store: EventStore) -> None:
    store.append(Append(checkpoints={"a/1": b"1", "a/2": b"2", "b_1": b"3", "b%": b"4"}))
    store.append(Append(checkpoints={"a/1": b"new"}, new_checkpoints={"a/2": b"ignored", "a/3": b"3"}))
    assert store.checkpoints("a/") == {"a/1": b"new", "a/2": b"2", "a/3": b"3"}
    assert store.checkpoints_named(["a/3", "b%", "a/", *map(str, range(1200))]) == {"a/3": b"3", "b%": b"4"}
    assert store.checkpoints_named([]) == {}
    store.append(Append(forget=["a/*", "none", "b%*"]))
    assert store.checkpoints("") == {"b_1": b"3"}


def test_what_is_set_together_with_a_forget_stays(store: EventStore) -> None:
    store.append(Append(checkpoints={"seen/1": b"", "seen/2": b""}))
    store.append(Append(forget=["seen/*"], checkpoints={"seen/3": b""}))
    assert set(store.checkpoints("seen/")) == {"seen/3"}


def test_large_batches_do_not_hang(store: EventStore) -> None:
    for round_ in range(20):
        text = f"{round_:02}" * 2500
        store.append(Append(changes=[issue(round_ * 100 + number, text=text) for number in range(100)]))
    assert store.head() == 2000


def test_an_empty_batch_writes_nothing(store: EventStore) -> None:
    assert store.append(Append()).positions == ()
    assert store.head() == 0


def test_a_head_never_goes_back(store: EventStore, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One writer refreshes a digest; before it commits, another appends the next version. Its head stays."""
    store.append(Append(changes=[issue(1, self="a")]))
    recorder: Any = store._recorder
    insert = recorder.insert_events

    def beaten(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        other = open_store(store_url)
        other.append(Append(changes=[issue(1, updated=later(1), summary="newer")]))
        other.close()
        return insert(*args, **kwargs)

    monkeypatch.setattr(recorder, "insert_events", beaten)
    store.append(Append(changes=[issue(1, self="b")]))
    assert store.append(Append(changes=[issue(1, updated=later(2))])).appended[0].stream_version == 3


def test_the_loser_of_a_race_looks_again(store: EventStore, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder: Any = store._recorder
    insert = recorder.insert_events

    def beaten(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        other = open_store(store_url)
        other.append(Append(changes=[issue(1), request("other")]))
        other.close()
        return insert(*args, **kwargs)

    monkeypatch.setattr(recorder, "insert_events", beaten)
    appended = store.append(Append(changes=[issue(1), issue(2), request("ours")], checkpoints={"m": b""})).appended
    assert [(type(event).__name__, event.stream_version) for event in appended] == [
        ("JiraIssueFetched", 1),
        ("SyncRequested", 2),
    ]
    time_of_recording = [event.recorded_at for event in appended]
    assert all(moment.timestamp() <= time.time() for moment in time_of_recording)


def test_what_was_decided_on_an_older_state_is_not_stored(store: EventStore) -> None:
    stream = request("a").event.stream_id
    store.append(Append(changes=[request("a")], expect={stream: 0}))
    decided = Append(changes=[request("b"), issue(1)], checkpoints={"m": b"1"}, idempotency_key="k", expect={stream: 1})
    store.append(Append(changes=[request("somebody was faster")]))
    with pytest.raises(StreamMovedError, match="has version 2, not 1"):
        store.append(decided)
    assert (store.head(), store.checkpoint("m"), store.outcome("k")) == (2, None, None)
    store.append(msgspec.structs.replace(decided, expect={stream: 2}))
    # A repetition is answered whatever the stream holds by then.
    assert store.append(decided).repeated
