"""A reader that waits for the log on SQLite is woken by the bell beside it; without one it looks for itself."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from libs.events import Append, EventStore, open_store
from libs.events.bell import Bell, Ear
from libs.events.log.sqlite import recorder as sqlite
from tests.servers.addresses import sqlite_log
from tests.unit.made.changes import issue

ALWAYS = 3600.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a file that is opened")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture
def reader(url: str) -> Iterator[EventStore]:
    with contextlib.closing(open_store(url)) as store:
        yield store


@pytest.fixture
def writer(url: str) -> Iterator[EventStore]:
    with contextlib.closing(open_store(url)) as store:
        yield store


def begun(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@linux
def test_who_waits_is_woken_and_does_not_look(
    reader: EventStore, writer: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "POLL_SECONDS", ALWAYS)
    waiting = [begun(lambda: reader.wait(0, ALWAYS)) for _ in range(3)]
    writer.append(Append(changes=[issue(1)]))
    for each in waiting:
        each.join(60)
    assert not any(each.is_alive() for each in waiting)
    assert reader.wait(0, 0)


@linux
def test_after_what_no_bell_has_told_of_a_reader_looks_for_itself(
    reader: EventStore, writer: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bell, "ring", lambda _self: None)
    monkeypatch.setattr(Ear, "wait", lambda _self, _seconds: writer.append(Append(changes=[issue(1)])))
    assert reader.wait(0, ALWAYS)
    monkeypatch.setattr(Ear, "wait", lambda _self, seconds: time.sleep(seconds))
    waiting = begun(lambda: reader.wait(1, ALWAYS))
    writer.append(Append(changes=[issue(2)]))
    waiting.join(60)
    assert not waiting.is_alive()


@linux
def test_a_bell_that_was_taken_away_is_hung_up_again(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    ear = bell.listen()
    assert ear is not None
    bell.ring()
    ear.wait(ALWAYS)
    assert ear.heard()
    assert not ear.heard()
    bell.give_back(ear)
    (tmp_path / "bell").unlink()
    bell.ring()
    again = bell.listen()
    assert again is not None
    assert again is not ear
    bell.ring()
    assert again.heard()
    bell.give_back(again)
    bell.close()


def test_where_nothing_can_be_made_nobody_listens(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "nowhere" / "bell")
    assert bell.listen() is None
    bell.ring()
