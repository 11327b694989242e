"""The runs of a project: for any course of events, the rows are those of a naive reading of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from libs.events import Event
from services.projector.project.runs import MAX_WARNINGS, SILENT
from tests.unit.made import build
from tests.unit.services.projector.applied import apply, dump, empty_tables, rows
from tests.unit.services.projector.courses import STEPS, Step, course, naive_runs, naive_streak, naive_wait


@pytest.fixture
def tables() -> Iterator[Connection]:
    with empty_tables() as connection:
        yield connection


def given_events(tables: Connection, *events: Event) -> None:
    apply(tables, build.recorded(events))


def runs(tables: Connection) -> list[dict[str, Any]]:
    """The rows without their versions, by run."""
    return [{name: value for name, value in row.items() if name != "version"} for row in rows(tables, "sync_run")]


@settings(deadline=None, max_examples=30)
@given(st.lists(STEPS, max_size=14), st.lists(STEPS, max_size=6), st.integers(1, 7))
def test_runs_are_those_of_a_naive_reading_in_batches_of_any_size_applied_twice(
    steps: list[Step], others: list[Step], size: int
) -> None:
    log = build.recorded([build.registered(), *course(steps), *course(others, "OTHER"), *course(steps, "THIRD")])
    with empty_tables() as whole, empty_tables() as parts:
        apply(whole, log)
        for start in range(0, len(log), size):
            for _ in range(2):
                apply(parts, log[start : start + size])
        assert runs(whole) == naive_runs(log)
        assert dump(parts) == dump(whole)
        for row in rows(whole, "sync_state"):
            assert (row["error_attempts"], row["error_since"]) == naive_streak(row["project_key"], log)
        for row in rows(whole, "sync_job"):
            assert (row["waiting_run_id"], row["waiting_until"]) == naive_wait(row["project_key"], log)
        in_progress = {row["run_id"] for row in runs(whole) if row["result"] == "RUNNING"}
        assert in_progress == {row["current_run_id"] for row in rows(whole, "sync_job")} - {None}


def test_a_run_that_died_silently_ends_when_the_next_begins(tables: Connection) -> None:
    given_events(tables, build.started("a"), build.page("a"), build.started("b"))
    first, second = rows(tables, "sync_run")
    assert (first["result"], first["error_message"], first["ended_at"]) == ("CANCELLED", SILENT, second["started_at"])
    assert (second["result"], second["ended_at"]) == ("RUNNING", None)


def test_a_run_that_was_thought_dead_says_how_it_ended(tables: Connection) -> None:
    given_events(tables, build.started("a"), build.started("b"), build.succeeded("a"))
    first, second = rows(tables, "sync_run")
    assert (first["result"], first["error_message"]) == ("SUCCESS", None)
    assert second["result"] == "RUNNING"


def test_a_run_that_failed_before_it_began_has_a_row(tables: Connection) -> None:
    given_events(tables, build.registered(), build.failed())
    (run,) = rows(tables, "sync_run")
    assert (run["result"], run["error_code"], run["started_at"]) == ("ERROR", "AUTH_EXPIRED", None)
    assert (run["started_position"], json.loads(run["error_details"])["status"]) == (2, 401)


def test_a_run_in_progress_shows_what_it_has_read_so_far(tables: Connection) -> None:
    given_events(tables, build.started(), build.page(warnings=["Comments of DEMO-4 are incomplete."]), build.page())
    (run,) = rows(tables, "sync_run")
    assert (run["issues"], run["comments"], run["appended"]) == (200, 2, 100)
    assert (run["pages_done"], run["pages_total"]) == (2, 2)
    assert json.loads(run["warnings"]) == ["Comments of DEMO-4 are incomplete."]


def test_issues_that_are_tried_again_are_no_page_of_the_run(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.page(number=-1), build.page(number=0))
    (run,) = rows(tables, "sync_run")
    (job,) = rows(tables, "sync_job")
    assert (run["pages_done"], job["pages_done"], run["issues"]) == (1, 1, 200)


def test_a_run_keeps_the_first_warnings_of_very_many(tables: Connection) -> None:
    warnings = [f"Comments of DEMO-{number} are incomplete." for number in range(100)]
    given_events(tables, build.started(), build.page(warnings=warnings[:15]), build.page(warnings=warnings[15:]))
    (run,) = rows(tables, "sync_run")
    assert json.loads(run["warnings"]) == warnings[:MAX_WARNINGS]
