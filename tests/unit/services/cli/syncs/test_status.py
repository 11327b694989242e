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
from services.cli.syncs.status import status
from tests.unit.made import build
from tests.unit.services.projector.applied import apply


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


def test_a_slowed_down_project_says_why_and_when_it_is_tried_again(tables: Engine) -> None:
    text = shown(tables, build.registered(), build.backed_off(2, seconds=21_600, code="SUSPENDED_PAYMENT"))
    probe = r"level 2  SUSPENDED_PAYMENT 4 times in a row; a run every 6 h, the next at \S+Z until one succeeds"
    assert re.search(f"slowed down, {probe}", text)
    assert "UTC  next" not in text


def test_a_paused_project_is_not_tried_again(tables: Engine) -> None:
    assert "a run every 1 h until one succeeds" in shown(tables, build.registered(), build.paused(), build.backed_off())


def test_alerts_are_shown_until_they_are_over(tables: Engine) -> None:
    raised = [build.registered(), build.alert_raised("a1"), build.alert_raised("a2", count=1), build.alert_raised("a3")]
    text = shown(tables, *raised, build.alert_acknowledged("a2"), build.alert_resolved("a3"))
    alerts = [line for line in text.splitlines() if line.startswith("alert ")]
    since = "since 2026-01-02T03:04:05Z: Make a new API token and set JIRA_API_TOKEN."
    assert alerts == [
        f"alert OPEN  AUTH_EXPIRED 3 times {since}",
        f"alert ACKNOWLEDGED by ada  AUTH_EXPIRED once {since}",
    ]
