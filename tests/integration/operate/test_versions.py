"""Old and new versions meet in one log and in one set of read tables: what an upgrade and a rollback rest on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from libs.events import EventStore, JiraIssueFetched
from libs.events.types.upcasts import UPCASTS
from libs.read_tables import PROJECTION, dead_letter, migrate, projection, readiness
from libs.runtime import Stop
from services.projector.rebuild import rebuild
from tests.integration.operate.copying import tables_of
from tests.integration.projector.log import Dump, append, catch_up, dump, history

NEWEST = "JiraIssueFetched.v1"


@pytest.fixture
def tables(store: EventStore) -> Any:
    with tables_of(store.url) as tables:
        migrate(tables)
        yield tables


@pytest.fixture
def before(store: EventStore, tables: Engine) -> Dump:
    append(store, history(30))
    catch_up(store, tables)
    return dump(tables)


def rename_topic(tables: Engine, store: EventStore, old: str, new: str) -> None:
    """As if another version had written these events."""
    if store.url.startswith("sqlite:"):
        with tables.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql(f"ATTACH '{store.url.removeprefix('sqlite:///')}' AS log")
            connection.exec_driver_sql("UPDATE log.stored_events SET topic = ? WHERE topic = ?", (new, old))
            connection.exec_driver_sql("DETACH log")
            connection.exec_driver_sql("BEGIN")
        return
    with tables.begin() as connection:
        connection.execute(text("UPDATE jdi_events SET topic = :new WHERE topic = :old"), {"new": new, "old": old})


def test_a_rollback_makes_the_tables_of_the_older_version_again(
    store: EventStore, tables: Engine, before: Dump
) -> None:
    with tables.begin() as connection:
        connection.execute(text("ALTER TABLE issue ADD COLUMN of_the_future TEXT"))
        connection.execute(projection.update().where(projection.c.name == PROJECTION).values(version=99))
    assert "this program needs" in (readiness(tables) or "")
    rebuild(store, tables, Stop())
    assert readiness(tables) is None
    assert dump(tables) == before


def test_events_that_an_older_reader_has_parked_come_back_with_a_rebuild_of_the_newer(
    store: EventStore, tables: Engine, before: Dump
) -> None:
    rename_topic(tables, store, NEWEST, "JiraIssueFetched.v9")
    rebuild(store, tables, Stop())  # by the older version, which does not know the topic
    with tables.connect() as connection:
        assert set(connection.execute(select(dead_letter.c.topic)).scalars()) >= {"JiraIssueFetched.v9"}
    assert dump(tables)["worklog"], "what it knows flows"
    assert not dump(tables)["issue"]
    rename_topic(tables, store, "JiraIssueFetched.v9", NEWEST)
    rebuild(store, tables, Stop())
    assert dump(tables) == before


def test_events_of_an_old_shape_give_the_tables_of_the_new_one(
    store: EventStore, tables: Engine, before: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def upcast(old: dict[str, Any]) -> dict[str, Any]:
        read.append(old["issue_id"])
        return old

    monkeypatch.setitem(UPCASTS, "JiraIssueFetched.v0", (NEWEST, upcast))
    rename_topic(tables, store, NEWEST, "JiraIssueFetched.v0")
    rebuild(store, tables, Stop())
    assert dump(tables) == before
    issues = [recorded for recorded in store.read(0, 10_000) if isinstance(recorded.event, JiraIssueFetched)]
    assert issues
    assert len(read) >= len(issues)
