"""The runs of several projects, on both databases: what a naive reading of the log makes of them."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from libs.events import Event, EventStore
from libs.read_tables import sync_run
from services.projector import apply as applying
from tests.integration.projector.log import append, catch_up
from tests.unit.made import build
from tests.unit.services.projector.courses import KINDS, WORDS, Step, course, naive_runs


@pytest.mark.parametrize("size", [1, 13, 1000])
def test_runs_are_those_of_a_naive_reading_in_batches_of_any_size(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    chance = random.Random(size)
    events: list[Event] = [build.registered()]
    for project in ("DEMO", "OTHER", "THIRD"):
        steps = [
            Step(chance.choice(KINDS), chance.randint(1, 9), chance.randint(-1, 5), chance.choice(WORDS))
            for _ in range(60)
        ]
        events.extend(course(steps, project))
    append(store, events)
    monkeypatch.setattr(applying, "BATCH", size)
    catch_up(store, tables)
    with tables.connect() as connection:
        found = connection.execute(select(sync_run).order_by(sync_run.c.run_id)).mappings()
        reported = [{name: value for name, value in row.items() if name != "version"} for row in found]
    assert reported == naive_runs(store.read(0, 1000))


def test_an_event_of_a_project_writes_only_the_rows_that_it_changes(store: EventStore, tables: Engine) -> None:
    append(store, [build.registered(), build.project(), build.started("r1"), build.succeeded("r1"), build.census()])
    catch_up(store, tables)
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if found := re.match(r"INSERT INTO (\w+)", statement):
            written.append(found[1])

    event.listen(tables, "before_cursor_execute", note)
    append(store, [build.started("r2")])
    catch_up(store, tables)
    assert sorted(written) == ["sync_job", "sync_log", "sync_run", "sync_state"]
    written.clear()
    append(store, [build.paused()])
    catch_up(store, tables)
    assert sorted(written) == ["project", "project_change", "sync_job", "sync_log"]
