"""What `jdi status` shows of projects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine

from libs.events import Event
from libs.read_tables import migrate
from libs.runtime import engine
from services.cli.status import status
from tests.unit.projector import build
from tests.unit.projector.tables import apply


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Engine]:
    made = engine(f"sqlite:///{tmp_path / 'read.db'}")
    migrate(made)
    yield made
    made.dispose()


def shown(tables: Engine, *events: Event) -> str:
    with tables.begin() as connection:
        apply(connection, build.recorded(events))
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(status(tables))
    return capture.get()


def test_a_paused_project_says_who_paused_it_and_why(tables: Engine) -> None:
    assert "schedule PAUSED by ada: holiday  */15 * * * * UTC" in shown(tables, build.registered(), build.paused())


def test_a_schedule_in_another_time_zone_shows_its_next_run_in_utc(tables: Engine) -> None:
    changed = build.schedule_changed("30 3 * * *")  # Berlin: one or two hours before
    assert re.search(r"30 3 \* \* \* Europe/Berlin  next \S+T0[12]:30Z", shown(tables, build.registered(), changed))


def test_an_unregistered_project_is_not_shown(tables: Engine) -> None:
    assert "jdi register PROJECT" in shown(tables, build.registered(), build.unregistered())
    assert "acme/DEMO" in shown(tables, build.registered(), build.unregistered(), build.registered())
