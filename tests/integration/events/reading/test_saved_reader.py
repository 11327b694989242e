"""What a reader derives from the log is stored with its position, exactly once, however many readers there are."""

from __future__ import annotations

import pytest

from libs.events import Append, Appended, EventStore, SavedReader, SyncRequested
from libs.events.reading import saved_reader as module
from tests.unit.made.changes import issue, request

TOPICS = ("SyncRequested.v1",)


def reader(store: EventStore, version: int = 1) -> SavedReader:
    made = SavedReader(store, "test", TOPICS, version=version)
    made.load()
    return made


def positions(reader: SavedReader, limit: int = 500) -> list[int]:
    return [one.position for one in reader.read(limit)]


def requests(store: EventStore) -> list[str]:
    return [one.event.request_id for one in store.read(0, 100) if isinstance(one.event, SyncRequested)]


def test_it_goes_on_from_what_it_has_saved(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), issue(1), request("b")]))
    first = reader(store)
    assert positions(first, 1) == [1]
    assert first.save(parts={"x": b"1", "y": b"2"})

    second = SavedReader(store, "test", TOPICS)
    assert second.load() == {"x": b"1", "y": b"2"}
    assert positions(second) == [3]
    assert second.save(parts={"x": b"3"}, forget=["y"])
    assert second.load() == {"x": b"3"}
    assert second.read() == []


def test_what_was_read_and_not_saved_comes_again(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), request("b")]))
    one = reader(store)
    assert positions(one, 1) == [1]
    assert positions(one, 1) == [2]
    assert positions(one) == []
    one.load()
    assert positions(one) == [1, 2]


def test_of_two_readers_at_one_place_the_first_wins(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), request("b")]))
    first, second = reader(store), reader(store)
    first.read(1)
    second.read()
    assert first.save(changes=[request("derived")], parts={"x": b"first"})
    assert not second.save(changes=[request("derived again")], parts={"x": b"second"})
    assert requests(store) == ["a", "b", "derived"]
    assert second.load() == {"x": b"first"}
    assert positions(second) == [2, 3]


def test_a_reader_that_was_overtaken_twice_is_refused_still(store: EventStore) -> None:
    store.append(Append(changes=[request("a"), request("b")]))
    slow, quick = reader(store), reader(store)
    slow.read(1)
    for _ in range(2):
        quick.read(1)
        assert quick.save()
    assert not slow.save(parts={"x": b"old"})


def test_a_state_that_changes_without_an_event_is_saved_once(store: EventStore) -> None:
    first, second = reader(store), reader(store)
    assert first.save_all({"x": b"1", "y": b"2"})
    assert not second.save_all({"x": b"3"})
    assert second.load() == {"x": b"1", "y": b"2"}
    assert second.save_all({"x": b"1"})
    assert not first.save_all({"x": b"4"})
    assert first.load() == {"x": b"1"}


def test_what_is_as_it_was_is_not_stored_again(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    one = reader(store)
    assert one.save_all({"x": b"1", "y": b"2"})
    stored = list[Append]()
    append = EventStore.append

    def noting(self: EventStore, what: Append) -> Appended:
        stored.append(what)
        return append(self, what)

    monkeypatch.setattr(EventStore, "append", noting)
    assert one.save_all({"x": b"1", "y": b"2"})
    assert stored == []
    assert one.save_all({"x": b"1", "y": b"3"})
    assert [sorted(each.checkpoints) for each in stored] == [["test/head", "test/part/y"]]


def test_parts_of_another_version_are_forgotten_and_the_log_is_read_anew(store: EventStore) -> None:
    store.append(Append(changes=[request("a")]))
    old = reader(store)
    old.read()
    assert old.save(parts={"x": b"1", "y": b"2"})

    new = SavedReader(store, "test", TOPICS, version=2)
    assert new.load() == {}
    assert positions(new) == [1]
    assert new.save(parts={"x": b"new"})
    assert new.load() == {"x": b"new"}
    assert store.checkpoints("test/part/") == {"test/part/x": b"new"}
    assert not old.save(parts={"x": b"old"}), "one of the version before has been overtaken"


def test_it_opens_what_the_version_before_has_stored(store: EventStore) -> None:
    """That kept the position alone, and stored each save under the position from which it went on."""
    store.append(Append(changes=[request(name) for name in "abcdef"]))
    for before, after in ((0, 1), (1, 4)):
        store.append(
            Append(
                checkpoints={"test/position": str(after).encode(), "test/part/x": str(after).encode()},
                idempotency_key=f"test:{before}",
            )
        )
    first = SavedReader(store, "test", TOPICS)
    assert first.load() == {"x": b"4"}
    for position in (5, 6):
        assert positions(first, 1) == [position]
        assert first.save(parts={"x": str(position).encode()})
    assert store.checkpoint("test/position") is None
    again = SavedReader(store, "test", TOPICS)
    assert again.load() == {"x": b"6"}
    assert again.read() == []

    # One of the version before that read on from the same position is refused.
    late = Append(checkpoints={"test/part/x": b"late"}, idempotency_key="test:4")
    assert store.append(late).repeated


def test_a_long_way_without_anything_of_interest_is_not_gone_twice(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STRIDE", 2)
    one = reader(store)
    store.append(Append(changes=[issue(number) for number in range(5)]))
    assert one.read() == []
    assert reader(store).position == 5
    store.append(Append(changes=[request("a")]))
    assert positions(one) == [6]
    assert one.save()


def test_a_long_way_behind_events_that_are_not_saved_yet_is_not_saved_without_them(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STRIDE", 2)
    one = reader(store)
    store.append(Append(changes=[request("a"), *(issue(number) for number in range(5))]))
    assert positions(one) == [1]
    assert one.read() == []
    assert reader(store).position == 0
    assert one.save(parts={"x": b"a"})
    assert reader(store).position == 6
