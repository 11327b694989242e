"""What `jdi status` shows of projects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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


def test_a_schedule_that_webhooks_stretch_says_so(tables: Engine) -> None:
    text = shown(tables, build.registered(), build.schedule_stretched())
    assert "every 2 h while webhooks are alive  next 20" in text


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


def complete(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("complete ")]
    return line.removeprefix("complete ")


def now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=3, seconds=1)


def test_a_project_says_how_much_of_it_is_here_and_when_that_was_proved(tables: Engine) -> None:
    synced = (build.registered(), build.started(), build.succeeded())
    assert complete(shown(tables, build.registered())) == "NEVER_SYNCED  never synced: nobody knows what there is"
    assert complete(shown(tables, *synced, build.issue("1"))) == "NEVER_PROVED  1 issue here, never proved"
    proved = build.census(build.proof(in_jira=1204, here=1204), build.proof("worklog", None, 1), at=now())
    assert complete(shown(tables, *synced, proved)) == "PROVED  1,204 of 1,204 issues, proved 3 min ago"


def test_what_differs_is_named_and_a_proof_grows_old(tables: Engine) -> None:
    synced = (build.registered(), build.started(), build.succeeded())
    differing = build.census(build.proof(in_jira=5, here=4, late=1), build.proof("comment", 3, 3), at=now())
    assert complete(shown(tables, *synced, differing)) == (
        "DIFFERENT  4 of 5 issues (1 late in Jira's index), 3 of 3 comments, proved 3 min ago"
    )
    assert complete(shown(tables, *synced, *(build.census() for _ in range(3)))).startswith("STALE  100 of 100 issues")


def test_what_was_held_back_or_failed_says_what_to_do(tables: Engine) -> None:
    synced = (build.registered(), build.started(), build.succeeded())
    assert complete(shown(tables, *synced, build.held_back())) == (
        "HELD_BACK  100 here, 60 issues in Jira (40 held back); nothing was removed: 40 of 100 issues seem gone,"
        " more than 20; `jdi prove DEMO --accept` removes them; never proved"
    )
    assert complete(shown(tables, *synced, build.held_back(), build.census_failed())) == (
        "FAILED  the last census failed with FORBIDDEN: The account may not browse it. Give it the permission;"
        " never proved"
    )
