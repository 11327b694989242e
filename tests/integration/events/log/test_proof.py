"""Whether the log can be appended to, asked of real databases: open, locked, forbidden, gone, full."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from libs.events import Append, EventStore, append_trouble, open_store
from libs.events.log import proof
from libs.events.log.sqlite import path_of
from tests.servers.addresses import sqlite_log
from tests.servers.small_disk import small_disk
from tests.unit.made.changes import issue


def test_an_open_log_has_none_and_holds_no_more_than_a_mark_for_it(store: EventStore) -> None:
    for _ in range(50):
        assert append_trouble(store, "test") is None
    assert store.head() == 0
    assert set(store.checkpoints("")) == {"@proof/test"}


def test_a_lock_that_somebody_holds_is_told_in_time(store: EventStore) -> None:
    if store.url.startswith("sqlite:"):
        with closing(sqlite3.connect(path_of(store.url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert "locked" in str(append_trouble(store, "test"))
    else:
        with psycopg.connect(store.url) as other:
            other.execute("LOCK TABLE jdi_events IN EXCLUSIVE MODE")
            assert "lock timeout" in str(append_trouble(store, "test"))
    assert append_trouble(store, "test") is None


def test_an_append_of_late_is_proof_enough(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append(Append(changes=[issue(1)]))
    monkeypatch.setattr(store, "prove_append", lambda _: pytest.fail("asked"))
    assert append_trouble(store, "test") is None
    monkeypatch.setattr(proof, "FRESH_SECONDS", 0.0)
    with pytest.raises(pytest.fail.Exception, match="asked"):
        append_trouble(store, "test")


def test_a_file_that_is_gone_is_told_and_not_made_anew(tmp_path: Path) -> None:
    url = sqlite_log(tmp_path)
    with closing(open_store(url)) as store:
        Path(path_of(url)).unlink()
        assert "was removed or replaced while in use" in str(append_trouble(store, "test"))
        assert not Path(path_of(url)).exists()


def test_a_full_disk_is_told_and_its_end_too(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk, closing(open_store(sqlite_log(disk.folder))) as store:
        disk.fill()
        assert "full" in str(append_trouble(store, "test"))
        disk.free()
        assert append_trouble(store, "test") is None
