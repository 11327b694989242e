"""What a reader derives from the log is stored with its position, exactly once, however many readers there are."""

from __future__ import annotations

import pytest

from libs.events import Append, EventStore, SavedReader, SyncRequested
from libs.events.reading import saved_reader as module
from tests.unit.made.changes import issue, request

TOPICS = ("SyncRequested.v1",)


def reader(store: EventStore) -> SavedReader:
    made = SavedReader(store, "test", TOPICS)
    made.load()
    return made


def requests(store: EventStore) -> list[str]:
    return [one.event.request_id for one in store.read(0, 100) if isinstance(one.event, SyncRequested)]


def test_it_goes_on_from_what_it_has_saved(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), issue(1), request("b")]))
    first = reader(store)
    batch = first.read(1)
    assert [one.position for one in batch] == [1]
    assert first.save(batch, parts={"x": b"1", "y": b"2"})

    second = SavedReader(store, "test", TOPICS)
    assert second.load() == {"x": b"1", "y": b"2"}
    batch = second.read()
    assert [one.position for one in batch] == [3]
    assert second.save(batch, parts={"x": b"3"}, forget=["y"])
    assert second.load() == {"x": b"3"}
    assert second.read() == []


def test_what_was_read_and_not_saved_comes_again(store: EventStore) -> None:
    store.append(Append(changes=[request("a")]))
    one = reader(store)
    assert one.read() == one.read() != []
    one.load()
    assert len(one.read()) == 1


def test_of_two_readers_at_one_place_the_first_wins(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), request("b")]))
    first, second = reader(store), reader(store)
    ours, theirs = first.read(1), second.read()
    assert first.save(ours, changes=[request("derived")], parts={"x": b"first"})
    assert not second.save(theirs, changes=[request("derived again")], parts={"x": b"second"})
    assert requests(store) == ["a", "b", "derived"]
    assert second.load() == {"x": b"first"}
    assert [one.position for one in second.read()] == [2, 3]


def test_a_reader_that_was_overtaken_twice_is_refused_still(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), request("b")]))
    slow, quick = reader(store), reader(store)
    batch = slow.read(1)
    assert quick.save(quick.read(1), parts={})
    assert quick.save(quick.read(1), parts={})
    assert not slow.save(batch, parts={"x": b"old"})


def test_a_long_way_without_anything_of_interest_is_not_gone_twice(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STRIDE", 2)
    one = reader(store)
    store.append(Append(changes=[issue(number) for number in range(5)]))
    assert one.read() == []
    assert reader(store).position == 5
    store.append(Append(changes=[request("a")]))
    assert one.save(one.read(), parts={})
