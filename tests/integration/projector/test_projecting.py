"""The tables are a pure fold of the log: rows and position commit together, whatever dies in between."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from libs.events import EventStore
from libs.read_tables import FOLDED, LIVE, PROJECTION, dead_letter, issue, projection
from libs.runtime import Stop
from services.projector import apply as applying
from services.projector.apply import Projection
from services.projector.rebuild import rebuild
from services.projector.tables.progress import MovedError, ProgressError
from services.projector.write import write
from tests.eventually import wait_until
from tests.integration.projector.log import append, catch_up, dump, history, live_projector, shows, unreadable
from tests.unit.made import build


def position(tables: Engine) -> int:
    with tables.connect() as connection:
        query = select(projection.c.position).where(projection.c.name == PROJECTION)
        return int(connection.execute(query).scalar_one())


def test_the_log_becomes_tables(store: EventStore, tables: Engine) -> None:
    head = append(store, history())
    catch_up(store, tables)
    found = dump(tables)
    assert position(tables) == head
    assert [name for name in FOLDED if not found[name]] == ["dead_letter"]


def test_batches_of_any_size_give_the_same_tables(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, history())
    monkeypatch.setattr(applying, "BATCH", 7)
    catch_up(store, tables)
    small = dump(tables)
    with tables.begin() as connection:
        for table in LIVE.values():
            connection.execute(table.delete())
        connection.execute(projection.update().where(projection.c.name == PROJECTION).values(position=0))
    monkeypatch.setattr(applying, "BATCH", 1000)
    catch_up(store, tables)
    assert dump(tables) == small


def test_a_crash_before_the_commit_leaves_neither_rows_nor_position(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, history(50))

    def dies(*arguments: Any) -> None:
        write(*arguments)
        raise OSError("killed")

    monkeypatch.setattr(applying, "write", dies)
    with pytest.raises(OSError, match="killed"):
        catch_up(store, tables)
    assert position(tables) == 0
    assert all(rows == [] for rows in dump(tables).values())


def test_crashes_between_batches_change_nothing_in_the_end(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, history())
    calls = iter(range(1_000_000))

    def dies_often(*arguments: Any) -> None:
        write(*arguments)
        if next(calls) % 3 == 1:
            raise OSError("killed")

    monkeypatch.setattr(applying, "BATCH", 40)
    monkeypatch.setattr(applying, "write", dies_often)
    while position(tables) < store.head():
        try:
            catch_up(store, tables)
        except OSError:
            continue
    crashed = dump(tables)
    monkeypatch.undo()
    with tables.begin() as connection:
        for table in LIVE.values():
            connection.execute(table.delete())
        connection.execute(projection.update().where(projection.c.name == PROJECTION).values(position=0))
    catch_up(store, tables)
    assert dump(tables) == crashed


def test_a_batch_that_somebody_else_applied_is_not_applied_again(store: EventStore, tables: Engine) -> None:
    append(store, history(20))
    batch = store.read(0, 10)
    loop = Projection(store, tables)
    loop.apply(batch, 0)
    with pytest.raises(MovedError):
        loop.apply(batch, 0)
    with pytest.raises(MovedError):
        loop.apply(store.read(20, 10), 20)
    assert position(tables) == 10


def test_two_projectors_at_once_give_the_tables_of_one(store: EventStore, tables: Engine) -> None:
    with live_projector(store, tables), live_projector(store, tables):
        head = append(store, history())
        wait_until(shows(store, tables, head))
    together = dump(tables)
    with tables.begin() as connection:
        for table in LIVE.values():
            connection.execute(table.delete())
        connection.execute(projection.update().where(projection.c.name == PROJECTION).values(position=0))
    catch_up(store, tables)
    assert dump(tables) == together


def test_a_live_projector_shows_what_is_appended(store: EventStore, tables: Engine) -> None:
    with live_projector(store, tables) as reports:
        wait_until(lambda: bool(reports))
        for number in range(5):
            wait_until(shows(store, tables, append(store, [build.issue(str(number))])))
    assert [row[1] for row in dump(tables)["issue"]] == ["0", "1", "2", "3", "4"]
    assert set(reports) == {None}


def test_an_unreadable_event_is_parked_until_a_readable_one_comes(store: EventStore, tables: Engine) -> None:
    odd = unreadable(build.worklog("w1"))
    with live_projector(store, tables) as reports:
        for event in (build.worklog("w1"), odd, odd, build.worklog("w2")):
            wait_until(shows(store, tables, append(store, [event])))
        assert [row[1] for row in dump(tables)["worklog"]] == ["w1", "w2"]
        assert {row[2] for row in dump(tables)["dead_letter"]} == {2, 3}
        wait_until(shows(store, tables, append(store, [build.worklog("w1", seconds=60)])))
    assert set(reports) == {None}
    assert [row[4] for row in dump(tables)["worklog"]] == [60, 3600]
    assert dump(tables)["dead_letter"] == []
    healed = dump(tables)
    rebuild(store, tables, Stop())
    assert dump(tables) == healed


def test_no_number_and_no_text_of_jira_is_refused(store: EventStore, tables: Engine) -> None:
    append(
        store,
        [
            build.worklog("w1", seconds=10**30),
            build.project("Pro\0ject"),
            build.issue(
                "1", status="Do\0ne", assignee={"displayName": "A\0da"}, sprints=[{"id": "1\0", "state": "\0"}]
            ),
            build.user("u1", active=None, avatarUrls=[], name="A\0da"),
        ],
    )
    catch_up(store, tables)
    found = dump(tables)
    assert found["dead_letter"] == []
    assert [row[4] for row in found["worklog"]] == [2**63 - 1]
    assert [row[4] for row in found["project"]] == ["Project"]


def test_an_event_that_the_database_refuses_is_found_and_parked(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, [build.issue(str(number)) for number in range(100)])

    def refuses(connection: Any, targets: Any, changes: Any) -> None:
        if ("acme", "42") in changes.entities["issue"]:
            raise IntegrityError("INSERT", {}, Exception("value does not fit"))
        write(connection, targets, changes)

    monkeypatch.setattr(applying, "write", refuses)
    catch_up(store, tables)
    assert len(dump(tables)["issue"]) == 99
    with tables.connect() as connection:
        (parked,) = connection.execute(select(dead_letter)).mappings()
    assert (parked["position"], parked["topic"]) == (43, "JiraIssueFetched.v1")
    assert "value does not fit" in parked["error"]
    monkeypatch.undo()
    append(store, [build.issue("42"), build.issue("43")])
    catch_up(store, tables)
    assert dump(tables)["dead_letter"] == []
    assert len(dump(tables)["issue"]) == 100


def test_trouble_of_the_database_is_blamed_on_no_event(store: EventStore, tables: Engine) -> None:
    append(store, [build.issue("1")])
    with tables.begin() as connection:
        connection.execute(text("ALTER TABLE issue RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        catch_up(store, tables)
    assert _rows(tables, dead_letter) == 0
    with live_projector(store, tables) as reports:
        wait_until(lambda: any(report is not None for report in reports))
        with tables.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO issue"))
        # Where it has marked the tables for a rebuild by then, they are made anew first.
        wait_until(shows(store, tables, 1), despite=(ProgressError,))
        wait_until(lambda: reports[-1] is None)
    assert _rows(tables, dead_letter) == 0
    assert _rows(tables, issue) == 1


def _rows(tables: Engine, table: Table) -> int:
    with tables.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()
