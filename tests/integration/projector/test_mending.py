"""Read tables that are altered, dropped or damaged are made anew by the projector that runs, on both databases."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from libs.events import EventStore
from libs.read_tables import are_lost, migrate, readiness
from services.projector import mending
from services.projector.mending import MANY, Mender
from tests.acceptance.damage.damages import DAMAGES
from tests.eventually import wait_until
from tests.integration.projector.log import append, catch_up, dump, history, live_projector

HARM = (
    "DROP TABLE comment",
    "ALTER TABLE issue DROP COLUMN summary",
    "DROP TABLE projection",
    "ALTER TABLE projection DROP COLUMN generation",
)


@pytest.mark.parametrize("harm", HARM)
def test_altered_tables_are_made_anew(
    store: EventStore, tables: Engine, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "LOOK_SECONDS", 0.3)  # between two looks while nothing happens
    append(store, history(30))
    catch_up(store, tables)
    expected = dump(tables)
    with live_projector(store, tables) as reports:
        wait_until(lambda: reports and reports[-1] is None)
        with tables.begin() as connection:
            connection.execute(text(harm))
        wait_until(lambda: dump(tables) == expected, despite=(Exception,))


def test_a_file_that_nobody_touches_is_looked_after_when_somebody_leaves_word(
    store: EventStore, tables: Engine
) -> None:
    if tables.dialect.name != "sqlite":
        pytest.skip("a file is damaged here")
    append(store, history(30))
    catch_up(store, tables)
    expected, file = dump(tables), Path(str(tables.url.database))
    with live_projector(store, tables) as reports:
        wait_until(lambda: reports and reports[-1] is None)
        tables.dispose()
        DAMAGES["ten pages"](file, random.Random(3))
        wait_until(lambda: _seen(tables), despite=(Exception,))
        wait_until(lambda: readiness(tables) is None and dump(tables) == expected, despite=(Exception,))
    (kept,) = (path for path in file.parent.glob(f"{file.name}.damaged-*Z"))
    assert kept.stat().st_size


def test_tables_that_were_lost_say_so_until_they_are_back(store: EventStore, tables: Engine) -> None:
    append(store, history(10))
    with tables.begin() as connection:
        connection.execute(text("DROP TABLE projection"))
    migrate(tables, log_has_events=True)
    with tables.connect() as connection:
        assert are_lost(connection)
    with live_projector(store, tables):
        wait_until(lambda: readiness(tables) is None)
    with tables.connect() as connection:
        assert not are_lost(connection)


def test_a_lock_or_a_full_disk_is_no_damage(store: EventStore, tables: Engine) -> None:
    mender = Mender(tables, store.url)
    for said in ("database is locked", "database or disk is full", "attempt to write a readonly database"):
        assert not mender.after(OperationalError("UPDATE", None, Exception(said)))
    assert mender.pause() == 0.0
    assert MANY > 1


def _seen(tables: Engine) -> bool:
    """Read everything, as GraphQL would in time: whoever meets the damage leaves word."""
    try:
        dump(tables)
    except Exception:  # noqa: BLE001 - damage, in any of its forms
        return True
    return any("damaged" in name for name in os.listdir(Path(str(tables.url.database)).parent))  # noqa: PTH208
