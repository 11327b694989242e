"""A backup that is taken while writers append is one moment of the log, and everything else is made from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from libs.access import Role, TokenStore
from libs.access import migrate as migrate_access
from libs.events import Append, EventStore, leadership, migrate, open_store
from libs.events.log.copies import CopyError
from libs.read_tables import migrate as migrate_tables
from libs.read_tables import readiness
from libs.runtime import Stop, access_database, access_engine, engine, read_database
from services.cli.copies.backup import BackupError, back_up
from services.cli.copies.restore import RestoreError, restore
from services.projector.apply import Projection
from services.projector.rebuild import rebuild
from tests.eventually import wait_until
from tests.integration.events.nats.publishing import relay, stored_positions, until_stored
from tests.integration.operate.copying import (
    BATCH,
    WRITERS,
    another_database,
    make_backup,
    restored,
    settings,
    wait_for,
    writing,
)
from tests.integration.projector.log import Dump, append, catch_up, dump, history, live_projector, shows
from tests.servers.addresses import NatsServer, PostgresServer
from tests.unit.made.changes import issue

MUCH = 40 * BATCH


@pytest.fixture
def fresh(store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty database of the same kind."""
    server: PostgresServer | None = None
    if not store_url.startswith("sqlite:"):
        server = request.getfixturevalue("postgres")
    (tmp_path / "fresh").mkdir()
    return another_database(store_url, tmp_path / "fresh", server)


def tables_up_to(store: EventStore, position: int, folder: Path) -> Dump:
    """The read tables as they were when the log ended there."""
    tables = engine(f"sqlite:///{folder / 'then-read.db'}")
    migrate_tables(tables)
    loop, after = Projection(store, tables), 0
    while batch := store.read(after, 500, stop=position):
        loop.apply(batch, after)
        after = batch[-1].position
    try:
        return dump(tables)
    finally:
        tables.dispose()


async def test_a_backup_under_load_restores_with_the_tables_of_that_moment(
    store: EventStore, store_url: str, fresh: str, tmp_path: Path, nats: NatsServer
) -> None:
    append(store, history(60))
    token = TokenStore(access(store_url)).create("board", Role.READER, None, None, by="test")[1]
    begun = store.head()
    with writing(store_url):
        wait_for(store, begun + MUCH)
        make_backup(store_url, tmp_path / "backup")
        wait_for(store, store.head() + 1)
    await restored(store_url, tmp_path / "backup", fresh, tmp_path / "fresh")

    copy = open_store(fresh)
    tables = engine(read_database(fresh))
    try:
        position = copy.head()
        assert begun + MUCH <= position < store.head()
        assert all_of(copy) == all_of(store, stop=position)
        assert copy.unsound_streams() == 0
        for writer in range(WRITERS):
            number = int(copy.checkpoint(f"writer/{writer}") or 0)
            assert copy.outcome(f"batch:{writer}:{number + 1}") is None
            assert (copy.outcome(f"batch:{writer}:{number}") is not None) == (number > 0)
        assert (
            sum(int(copy.checkpoint(f"writer/{writer}") or 0) for writer in range(WRITERS)) * BATCH == position - begun
        )
        assert rebuild(copy, tables, Stop()) == position
        assert dump(tables) == tables_up_to(store, position, tmp_path)
        assert TokenStore(access(fresh)).principal_of(token) is not None
        async with relay(copy, nats.url):
            await until_stored(nats.url, position)
        assert await stored_positions(nats.url) == [recorded[0] for recorded in all_of(copy)]
    finally:
        tables.dispose()
        copy.close()


def access(url: str) -> Engine:
    tables = access_engine(access_database(url))
    migrate_access(tables)
    return tables


def all_of(store: EventStore, stop: int | None = None) -> list[tuple[int, str, bytes]]:
    found: list[tuple[int, str, bytes]] = []
    while batch := store.read(found[-1][0] if found else 0, 5000, stop=stop):
        found += [(recorded.position, recorded.topic, recorded.raw) for recorded in batch]
    return found


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


async def test_read_tables_that_are_ahead_of_a_restored_log_are_made_anew(
    file_store: EventStore, tmp_path: Path
) -> None:
    """As after a restore in place: the tables stayed, and show what the log has lost."""
    tables = engine(read_database(file_store.url))
    migrate_tables(tables)
    events = history(40)
    middle = append(file_store, events[: len(events) // 2])
    back_up(file_store.url, tmp_path / "backup")
    append(file_store, events[len(events) // 2 :])
    catch_up(file_store, tables)
    expected = tables_up_to(file_store, middle, tmp_path)
    assert dump(tables) != expected
    file_store.close()
    for part in tmp_path.glob("jdi.db*"):
        part.unlink()
    await restored(file_store.url, tmp_path / "backup", file_store.url, tmp_path)
    copy = open_store(file_store.url)
    with live_projector(copy, tables):
        wait_until(lambda: readiness(tables) is None and shows(copy, tables, middle)())
    assert (copy.head(), dump(tables)) == (middle, expected)
    copy.close()
    tables.dispose()


async def test_a_log_that_has_events_is_not_overwritten(file_store: EventStore, tmp_path: Path) -> None:
    file_store.append(Append(changes=[issue(1)]))
    back_up(file_store.url, tmp_path / "backup")
    file_store.append(Append(changes=[issue(2)]))
    with pytest.raises(RestoreError, match="has events"):
        await restored(file_store.url, tmp_path / "backup", file_store.url, tmp_path)
    assert file_store.head() == 2


async def test_there_is_nothing_to_finish_without_a_log(file_store: EventStore, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match="the log is empty"):
        await restore(settings(file_store.url, tmp_path), None, lambda _: None)
    nowhere = f"sqlite:///{tmp_path / 'elsewhere' / 'jdi.db'}"
    with pytest.raises(RestoreError, match="there is no log"):
        await restore(settings(nowhere, tmp_path / "elsewhere"), None, lambda _: None)
    assert not (tmp_path / "elsewhere").exists()


async def test_a_restore_does_not_begin_while_a_service_is_at_work(file_store: EventStore, tmp_path: Path) -> None:
    async with leadership(file_store.url, "ingestor"):
        with pytest.raises(RestoreError, match="an ingestor is at work"):
            await restore(settings(file_store.url, tmp_path), None, lambda _: None)


async def test_servers_of_a_former_life_that_cannot_be_asked_are_not_kept(
    file_store: EventStore, tmp_path: Path
) -> None:
    (tmp_path / "temporal.db").touch()
    with pytest.raises(RestoreError, match=r"temporal.db is of the former life"):
        await restore(settings(file_store.url, tmp_path), None, lambda _: None)


async def test_streams_of_several_moments_are_no_backup(file_store: EventStore, tmp_path: Path) -> None:
    file_store.append(Append(changes=[issue(1), issue(2)]))
    with closing(sqlite3.connect(tmp_path / "jdi.db")) as database, database:
        database.execute("DELETE FROM stored_events WHERE rowid = 2")
        database.execute("UPDATE heads SET version = 7 WHERE version = 1")
    with pytest.raises(RestoreError, match="1 streams are incomplete"):
        await restore(settings(file_store.url, tmp_path), None, lambda _: None)


@pytest.mark.parametrize("content", [b"", b"no database", None])
async def test_what_is_no_backup_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file"
    if content is None:
        migrate(f"sqlite:///{file}")
    else:
        file.write_bytes(content)
    folder = tmp_path / "fresh"
    with pytest.raises((RestoreError, CopyError)):
        await restored("sqlite:////any", file, f"sqlite:///{folder / 'jdi.db'}", folder)
    assert not [path for path in folder.iterdir() if not path.name.endswith(".lock")]


def test_a_damaged_database_makes_no_backup(file_store: EventStore, tmp_path: Path) -> None:
    append(file_store, history(60))
    file_store.close()
    with (tmp_path / "jdi.db").open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096 * 8)
    with pytest.raises(CopyError):
        back_up(file_store.url, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))


def test_a_backup_overwrites_nothing_and_is_its_owners_alone(file_store: EventStore, tmp_path: Path) -> None:
    assert back_up(file_store.url, tmp_path / "backup") == (0, 0)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupError, match="there already"):
        back_up(file_store.url, tmp_path / "backup")


def test_with_postgresql_the_right_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"pg_dump --format=custom .*--table=jdi_events .*--table=api_token"):
        back_up("postgresql://host/jdi", tmp_path / "backup")
