"""Read tables made again from the log are the same, byte for byte, and readers are served meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, Index, func, inspect, select, text

from libs.events import EventStore
from libs.read_tables import (
    FOLDED,
    LIVE,
    PROJECTION,
    beside,
    issue,
    metadata,
    migrate,
    projection,
    readiness,
    shape,
    sprint,
)
from libs.runtime import Stop, engine, read_database
from services.projector.apply import Projection
from services.projector.rebuild import RebuildError, rebuild
from services.projector.rebuild.generation import _begin
from services.projector.tables.progress import NewerTablesError
from tests.eventually import wait_until
from tests.integration.projector.log import Dump, append, catch_up, dump, history, live_projector, shows


@pytest.fixture
def before(store: EventStore, tables: Engine) -> Dump:
    """Tables that a live projector has built."""
    append(store, history(120))
    catch_up(store, tables)
    return dump(tables)


SINCE_VERSION_1: Mapping[str, set[str]] = {
    "project": {"registered"},
    "sync_job": {"paused_at", "paused_by", "pause_reason", "last_ended_at"}
    | {f"backoff_{part}" for part in ("level", "code", "failures", "seconds", "anchor", "since")},
    "sync_state": {f"error_{part}" for part in ("severity", "docs", "since", "attempts")},
    "gone": {"project_key", "gone_at"},
}
"""Columns that the tables of version 1 had not; nor were there the tables below."""

TABLES_SINCE_VERSION_1 = (
    "sync_run",
    "project_change",
    "schema_drift",
    "alert",
    "alert_silence",
    "notification",
    "notification_alert",
)


def return_to_version_1(connection: Connection) -> None:
    for name in TABLES_SINCE_VERSION_1:
        LIVE[name].drop(connection)
    connection.execute(text("DROP INDEX gone_by_project"))
    for table, columns in SINCE_VERSION_1.items():
        for column in sorted(columns):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    connection.execute(projection.update().where(projection.c.name == PROJECTION).values(version=1, position=7))


def generation(tables: Engine) -> int:
    with tables.connect() as connection:
        query = select(projection.c.generation).where(projection.c.name == PROJECTION)
        return int(connection.execute(query).scalar_one())


def names(tables: Engine) -> set[str]:
    return {name for name in inspect(tables).get_table_names() if name in metadata.tables or "__g" in name}


def test_a_rebuild_gives_the_same_tables(store: EventStore, tables: Engine, before: Dump) -> None:
    assert all(before[name] for name in ("alert", "alert_silence", "notification", "notification_alert"))
    assert rebuild(store, tables, Stop()) == store.head()
    assert dump(tables) == before
    assert names(tables) == set(metadata.tables)
    assert readiness(tables) is None


@pytest.mark.parametrize("missing", ["all", "one", "progress", "rows"])
def test_dropped_or_emptied_tables_come_back(store: EventStore, tables: Engine, before: Dump, missing: str) -> None:
    with tables.begin() as connection:
        if missing == "all":
            metadata.drop_all(connection)
        elif missing == "one":
            LIVE["comment"].drop(connection)
        elif missing == "progress":
            projection.drop(connection)
        else:
            for table in LIVE.values():
                connection.execute(table.delete())
    rebuild(store, tables, Stop())
    assert dump(tables) == before
    assert readiness(tables) is None


def test_rebuilds_can_follow_one_another(store: EventStore, tables: Engine, before: Dump) -> None:
    for _ in range(3):
        rebuild(store, tables, Stop())
    assert dump(tables) == before
    assert generation(tables) == 3


def test_what_is_appended_during_a_rebuild_is_in_the_new_tables(
    store: EventStore, tables: Engine, before: Dump
) -> None:
    assert before
    more = history(120, seed=8)
    with live_projector(store, tables) as reports:
        writer = threading.Thread(target=append, args=(store, more))
        writer.start()
        rebuild(store, tables, Stop())
        rebuild(store, tables, Stop())
        writer.join()
        wait_until(shows(store, tables, store.head()))
    assert set(reports) == {None}
    live = dump(tables)
    rebuild(store, tables, Stop())
    assert dump(tables) == live


def test_readers_see_full_tables_at_any_moment(store: EventStore, tables: Engine, before: Dump, store_url: str) -> None:
    readers = engine(read_database(store_url), read_only=True)
    stop = Stop()
    seen: list[tuple[int, int]] = []

    def read() -> None:
        comments = select(func.count()).select_from(LIVE["comment"])
        while not stop.is_set():
            with readers.begin() as connection:
                issues = connection.execute(select(func.count()).select_from(issue)).scalar_one()
                seen.append((issues, connection.execute(comments).scalar_one()))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(3):
            count = len(seen)
            rebuild(store, tables, stop)
            wait_until(lambda: len(seen) > count)  # noqa: B023 - called at once
    finally:
        stop.set()
        reader.join()
        readers.dispose()
    assert set(seen) == {(len(before["issue"]), len(before["comment"]))}


def test_tables_of_an_older_version_are_rebuilt_by_the_live_projector(
    store: EventStore, tables: Engine, before: Dump
) -> None:
    with tables.begin() as connection:
        connection.execute(text("DROP TABLE sprint"))
        connection.execute(text("CREATE TABLE sprint (shape_of_old text)"))
        connection.execute(projection.update().where(projection.c.name == PROJECTION).values(version=0))
    assert "the projector rebuilds them" in (readiness(tables) or "")
    with live_projector(store, tables) as reports:
        wait_until(lambda: bool(reports) and reports[-1] is None)
    assert dump(tables) == before
    assert readiness(tables) is None


def test_the_tables_of_version_1_become_those_of_today(store: EventStore, tables: Engine, before: Dump) -> None:
    with tables.begin() as connection:
        return_to_version_1(connection)
    assert "at version 1" in (readiness(tables) or "")
    migrate(tables)
    assert "the projector rebuilds them" in (readiness(tables) or "")
    with live_projector(store, tables) as reports:
        wait_until(lambda: bool(reports) and reports[-1] is None)
    assert dump(tables) == before
    assert readiness(tables) is None
    shapes = {name: {column["name"] for column in inspect(tables).get_columns(name)} for name in FOLDED}
    assert shapes == {name: {column.name for column in LIVE[name].columns} for name in FOLDED}
    indexes = {index["name"] for name in FOLDED for index in inspect(tables).get_indexes(name)}
    assert indexes == {f"{index.name}__g1" for table in LIVE.values() for index in table.indexes}


@pytest.fixture
def another_shape() -> Iterator[str]:
    """From here on, the program has an index more: its name."""
    index = Index("sprint_by_name", sprint.c.name)
    shape.this_shape.cache_clear()
    beside.cache_clear()
    yield str(index.name)
    sprint.indexes.remove(index)
    shape.this_shape.cache_clear()
    beside.cache_clear()


def test_tables_of_another_shape_are_rebuilt_once(
    store: EventStore, tables: Engine, before: Dump, another_shape: str
) -> None:
    assert "the projector rebuilds them" in (readiness(tables) or "")
    for _ in range(2):
        with live_projector(store, tables) as reports:
            wait_until(lambda: bool(reports) and reports[-1] is None)
        assert generation(tables) == 1
    assert dump(tables) == before
    assert readiness(tables) is None
    assert f"{another_shape}__g1" in {index["name"] for index in inspect(tables).get_indexes("sprint")}
    rebuild(store, tables, Stop())
    assert readiness(tables) is None


def test_tables_of_the_same_shape_are_not_rebuilt(store: EventStore, tables: Engine, before: Dump) -> None:
    with live_projector(store, tables) as reports:
        wait_until(lambda: bool(reports) and reports[-1] is None)
    assert generation(tables) == 0
    assert dump(tables) == before


def test_tables_of_a_newer_version_are_left_alone(store: EventStore, tables: Engine, before: Dump) -> None:
    with tables.begin() as connection:
        connection.execute(projection.update().where(projection.c.name == PROJECTION).values(version=99))
    with pytest.raises(NewerTablesError, match="Upgrade"):
        catch_up(store, tables)
    with live_projector(store, tables) as reports:
        wait_until(lambda: bool(reports))
    assert "Upgrade" in (reports[0] or "")
    assert dump(tables) == before


def test_a_rebuild_that_died_is_cleaned_up_by_the_next(store: EventStore, tables: Engine, before: Dump) -> None:
    begun = _begin(tables)
    Projection(store, tables, beside(begun), f"{PROJECTION}__g{begun}").apply(store.read(0, 100), 0)
    rebuild(store, tables, Stop())
    assert names(tables) == set(metadata.tables)
    assert dump(tables) == before


def bytes_of(tables: Engine) -> int:
    """What the read tables take on the disk."""
    if tables.dialect.name == "sqlite":
        return sum(path.stat().st_size for path in Path(tables.url.database or "").parent.glob("*-read.db*"))
    with tables.connect() as connection:
        size = func.coalesce(func.sum(func.pg_total_relation_size(text("oid"))), 0)
        ours = text("relkind = 'r' AND (relname = ANY(:names) OR relname LIKE '%\\_\\_g%')")
        query = select(size).select_from(text("pg_class")).where(ours)
        return int(connection.execute(query, {"names": list(metadata.tables)}).scalar_one())


def test_rebuilds_give_back_the_room_of_the_tables_before(store: EventStore, tables: Engine, before: Dump) -> None:
    assert before
    begun = _begin(tables)
    Projection(store, tables, beside(begun), f"{PROJECTION}__g{begun}").catch_up(Stop())
    with_leftovers = bytes_of(tables)
    for _ in range(3):
        rebuild(store, tables, Stop())
        assert bytes_of(tables) < 0.8 * with_leftovers
    assert dump(tables) == before


def test_a_rebuild_that_is_overtaken_says_so(store: EventStore, tables: Engine, before: Dump) -> None:
    class Overtaken:
        """Lets another rebuild run from start to end while the first one is on its way."""

        done = False

        def is_set(self) -> bool:
            if not self.done:
                self.done = True
                rebuild(store, tables, Stop())
            return False

    with pytest.raises(RebuildError, match="Another rebuild"):
        rebuild(store, tables, Overtaken())
    assert dump(tables) == before


def test_a_rebuild_that_is_told_to_stop_leaves_the_tables_alone(
    store: EventStore, tables: Engine, before: Dump
) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(RebuildError, match="told to stop"):
        rebuild(store, tables, stop)
    assert dump(tables) == before


def test_another_log_never_replaces_the_tables(store: EventStore, tables: Engine, before: Dump) -> None:
    with tables.begin() as connection:
        connection.execute(
            projection.update().where(projection.c.name == PROJECTION).values(position=store.head() + 1000)
        )
    with pytest.raises(RebuildError, match="another log"):
        rebuild(store, tables, Stop())
    assert dump(tables) == before


def test_migrating_twice_at_once_is_safe(store_url: str) -> None:
    made = engine(read_database(store_url))
    threads = [threading.Thread(target=migrate, args=(made,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert readiness(made) is None
    assert set(FOLDED) < names(made)
    made.dispose()


def test_the_command_line_migrates_and_rebuilds(store_url: str, tables: Engine, before: Dump) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "DATABASE_URL": store_url, "JDI_LOG_FORMAT": "json"}
        command = [sys.executable, "-m", "services.projector", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    with tables.begin() as connection:
        metadata.drop_all(connection)
    assert run("migrate").returncode == 0
    assert readiness(tables) is None
    finished = run("rebuild")
    assert finished.returncode == 0, finished.stderr
    assert '"rebuild finished"' in finished.stderr
    assert dump(tables) == before
    wrong = run("sideways")
    assert (wrong.returncode, "no command" in wrong.stderr) == (2, True)
