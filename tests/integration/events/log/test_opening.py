"""Creating and opening the log: once, by many at once, at any address, through a lost connection."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from libs.events import Append, EventStore, StoreError, StoreVersionError, migrate, open_store, open_when_ready
from libs.runtime import Stop
from tests.conftest import BOTH_DATABASES
from tests.servers.addresses import PostgresServer, end_other_sessions, free_port
from tests.unit.made.changes import issue


@pytest.fixture(params=BOTH_DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a log."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'jdi.db'}"
    return str(request.getfixturevalue("postgres").fresh_database())


def test_without_migration_the_log_does_not_open_and_is_not_made(empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreVersionError, match="jdi migrate"):
        open_store(empty_url)
    assert list(tmp_path.iterdir()) == []


def test_a_log_of_a_newer_program_is_left_alone(empty_url: str) -> None:
    migrate(empty_url)
    store = open_store(empty_url)
    store._recorder.set_schema_version(99)
    store.close()
    for refused in (open_store, migrate):
        with pytest.raises(StoreVersionError, match="Upgrade this program"):
            refused(empty_url)


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    command = [sys.executable, "-c", "import sys; from libs.events import migrate; migrate(sys.argv[1])", empty_url]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[4]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    open_store(empty_url).close()


def test_migrating_again_keeps_what_is_there(empty_url: str) -> None:
    migrate(empty_url)
    store = open_store(empty_url)
    store.append(Append(changes=[issue(1)], checkpoints={"m": b"1"}))
    migrate(empty_url)
    assert store.head() == 1
    assert store.checkpoint("m") == b"1"
    store.close()


def test_everything_a_postgresql_address_says_is_heeded(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    url += ("&" if "?" in url else "?") + "application_name=somebody"
    for address in (url, url.replace("postgresql://", "postgresql+psycopg://")):
        migrate(address)
        store = open_store(address)
        with psycopg.connect(url) as session:
            names = session.execute(
                "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchall()
        store.close()
        assert names == [("somebody",)]


def test_a_store_outlives_its_connections(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    migrate(url)
    store = open_store(url)
    store.append(Append(changes=[issue(1)]))
    assert end_other_sessions(url) > 0
    store.append(Append(changes=[issue(2)]))
    assert store.head() == 2
    store.close()


def test_a_database_that_does_not_answer_is_a_store_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.events.log.postgres.CONNECT_SECONDS", 1)
    with pytest.raises(StoreError):
        open_store(f"postgresql://nobody@127.0.0.1:{free_port()}/none")


class Hearing:
    """Hears why the log is not open yet."""

    def __init__(self) -> None:
        self.reported: list[str | None] = []
        self.spoken = threading.Event()

    def __call__(self, why: str | None) -> None:
        self.reported.append(why)
        self.spoken.set()


def test_it_is_opened_as_soon_as_it_is_there(empty_url: str) -> None:
    heard = Hearing()
    with ThreadPoolExecutor() as thread:
        opening = thread.submit(open_when_ready, empty_url, Stop(), heard)
        assert heard.spoken.wait(60)
        migrate(empty_url)
        store = opening.result(timeout=60)
    assert isinstance(store, EventStore)
    assert (store.head(), set(heard.reported)) == (
        0,
        {next(why for why in heard.reported if why and "Run `jdi migrate`" in why)},
    )
    store.close()


@pytest.mark.parametrize("away", ["sqlite:////nowhere/jdi.db", "postgresql://nobody@127.0.0.1:1/none"])
def test_who_waits_for_it_can_be_told_to_stop(away: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.events.log.postgres.CONNECT_SECONDS", 1)
    monkeypatch.setattr("libs.events.log.opening.RETRY_SECONDS", 3600)
    heard, stop = Hearing(), Stop()
    with ThreadPoolExecutor() as thread:
        opening = thread.submit(open_when_ready, away, stop, heard)
        assert heard.spoken.wait(60)
        stop.set()
        assert opening.result(timeout=60) is None
