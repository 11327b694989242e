"""The one connection that writes: what it stores is in the file, nothing of it outlives the store, and it recovers."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from libs.events import Append, EventStore, migrate, open_store
from libs.events.log.damage import log_trouble
from libs.events.log.sqlite.files import OpenedFile, address_of, file_at, is_there, path_of
from libs.events.log.sqlite.writer import Writer
from libs.events.log.store import StoreError
from tests.unit.made.changes import issue, request


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    return url


@pytest.fixture
def log(url: str) -> Iterator[EventStore]:
    with closing(open_store(url)) as store:
        yield store


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    with closing(Writer(address_of(Path(path_of(url))))) as writer:
        yield writer


def open_files(path: Path) -> list[str]:
    """Those that this process has open at or beside a path."""
    links = (os.path.realpath(each) for each in Path("/proc/self/fd").iterdir())
    return [link for link in links if link.startswith(str(path))]


def test_a_closed_store_leaves_one_whole_file(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    store.append(Append(changes=[issue(number) for number in range(50)]))
    store.close()
    assert not (tmp_path / "jdi.db-wal").exists()
    assert not open_files(tmp_path / "jdi.db")
    with closing(sqlite3.connect(f"file:{tmp_path / 'jdi.db'}?immutable=1", uri=True)) as alone:
        assert alone.execute("SELECT count(*) FROM stored_events").fetchone() == (50,)


def test_nothing_is_open_for_writing_before_the_first_append(writer: Writer, tmp_path: Path) -> None:
    """Whoever opens a log may be forked before it writes."""
    assert not open_files(tmp_path / "jdi.db")
    with writer.transaction() as cursor:
        cursor.execute("INSERT INTO marks VALUES ('a', x'', '')")
    assert open_files(tmp_path / "jdi.db")
    writer.close()
    assert not open_files(tmp_path / "jdi.db")


def test_what_is_raised_in_a_transaction_leaves_nothing_of_it(writer: Writer, log: EventStore) -> None:
    with pytest.raises(ZeroDivisionError), writer.transaction() as cursor:
        cursor.executemany("INSERT INTO marks VALUES (?, x'', '')", ((f"a{1 // left}",) for left in (2, 1, 0)))
    with writer.transaction() as cursor:
        cursor.execute("INSERT INTO marks VALUES ('b', x'', '')")
    assert log.checkpoints("") == {"b": b""}


def test_threads_write_one_after_another(writer: Writer, log: EventStore) -> None:
    def write(name: int) -> None:
        for each in range(20):
            with writer.transaction() as cursor:
                cursor.execute("INSERT INTO marks VALUES (?, x'', '')", (f"{name}/{each}",))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.checkpoints("")) == 80


def test_a_removed_file_is_told_before_anything_is_read(log: EventStore, tmp_path: Path) -> None:
    """Also by a store that has appended, and has its connection still."""
    log.append(Append(changes=[issue(1)]))
    (tmp_path / "jdi.db").unlink()
    with pytest.raises(StoreError, match="removed or replaced while in use"):
        log.append(Append(changes=[issue(2)], idempotency_key="page"))


def test_a_replaced_file_is_not_written_to(log: EventStore, url: str, tmp_path: Path) -> None:
    log.append(Append(changes=[issue(1)]))
    (tmp_path / "jdi.db").rename(tmp_path / "before.db")
    migrate(url)
    with pytest.raises(StoreError, match="removed or replaced while in use"):
        log.append(Append(changes=[issue(2)]))
    file = OpenedFile(tmp_path / "jdi.db")
    file.check()
    file.remember()
    (tmp_path / "jdi.db").unlink()
    with pytest.raises(StoreError):
        file.check()


def test_damage_that_an_append_meets_is_told_as_damage(log: EventStore, url: str, tmp_path: Path) -> None:
    log.append(Append(changes=[issue(number, text="x" * 2000) for number in range(200)]))
    log.close()
    with (tmp_path / "jdi.db").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for page in range(4096, size, 4096):
            file.seek(page)
            file.write(b"\xff" * 2000)
    writer = Writer(address_of(tmp_path / "jdi.db"))
    for _ in range(2):
        with pytest.raises(StoreError) as raised, writer.transaction() as cursor:
            cursor.execute("INSERT INTO marks VALUES ('a', x'', '')")
        assert "is damaged" in log_trouble(url, raised.value)
    writer.close()


def test_a_file_that_is_no_database_is_told_as_damage(url: str, tmp_path: Path) -> None:
    (tmp_path / "jdi.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError) as raised, Writer(address_of(tmp_path / "jdi.db")).transaction():
        pass
    assert "is damaged" in log_trouble(url, raised.value)


def test_after_a_refusal_the_next_append_is_stored(log: EventStore, tmp_path: Path) -> None:
    """As after a disk that was full, or a file that could not be written."""
    with closing(sqlite3.connect(tmp_path / "jdi.db")) as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON stored_events BEGIN SELECT no_such_function(); END")
    with pytest.raises(StoreError):
        log.append(Append(changes=[request("a")]))
    with closing(sqlite3.connect(tmp_path / "jdi.db")) as other:
        other.execute("DROP TRIGGER no")
    assert len(log.append(Append(changes=[request("b")])).appended) == 1


def test_addresses_and_files_are_one_another(tmp_path: Path) -> None:
    for name in ("jdi.db", "with space?&#.db", "ü%20.db"):
        assert file_at(address_of(tmp_path / name)) == tmp_path / name
    assert not is_there(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    assert not is_there(tmp_path / "empty.db")
