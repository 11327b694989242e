"""The runs of a project: for any course of events, the rows are those of a naive reading of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from libs.events import Event, SyncFailed, SyncPageRecorded, SyncStarted, SyncSucceeded
from services.projector.runs import SILENT
from tests.unit.projector import build
from tests.unit.projector.tables import apply, dump, empty_tables, rows

KINDS = ("started", "page", "succeeded", "failed", "cancelled")


@pytest.fixture
def tables() -> Iterator[Connection]:
    with empty_tables() as connection:
        yield connection


def course(steps: Sequence[tuple[str, int]]) -> list[Event]:
    made: list[Event] = []
    for kind, number in steps:
        make: Any = getattr(build, kind)
        made.append(make(run_id=f"run-{number}"))
    return made


def naive(events: Sequence[Event]) -> dict[str, tuple[str, int]]:
    """run id -> (result, pages), reading one event after the other."""
    found: dict[str, tuple[str, int]] = {}
    current = ""
    for event in events:
        run: str = getattr(event, "run_id", "")
        result, pages = found.get(run, ("RUNNING", 0))
        if isinstance(event, SyncStarted):
            if current not in ("", run):
                found[current] = ("CANCELLED", found[current][1])
            current, result = run, "RUNNING"
        elif isinstance(event, SyncPageRecorded):
            pages += 1
        else:
            result = (
                "SUCCESS"
                if isinstance(event, SyncSucceeded)
                else "ERROR"
                if isinstance(event, SyncFailed)
                else "CANCELLED"
            )
            current = "" if run == current else current
        found[run] = (result, pages)
    return found


STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 3)), max_size=14)


@settings(deadline=None, max_examples=150)
@given(steps=STEPS, cut=st.integers(0, 14))
def test_runs_are_those_of_a_naive_reading_however_the_batches_are_cut(steps: list[tuple[str, int]], cut: int) -> None:
    events = build.recorded([build.registered(), *course(steps)])
    with empty_tables() as whole, empty_tables() as parts:
        apply(whole, events)
        apply(parts, events[: cut + 1])
        apply(parts, events[: cut + 1])  # seen before: changes nothing
        apply(parts, events[cut + 1 :])
        told = {row["run_id"]: (row["result"], row["pages_done"]) for row in rows(whole, "sync_run")}
        assert told == naive([recorded.event for recorded in events[1:]])
        assert dump(whole) == dump(parts)


def test_a_run_that_died_silently_ends_when_the_next_begins(tables: Connection) -> None:
    apply(tables, build.recorded([build.registered(), *course([("started", 1), ("page", 1), ("started", 2)])]))
    first, second = rows(tables, "sync_run")
    assert (first["result"], first["error_message"], first["ended_at"]) == ("CANCELLED", SILENT, second["started_at"])
    assert second["result"] == "RUNNING"


def test_a_run_in_progress_shows_what_it_has_read_so_far(tables: Connection) -> None:
    apply(tables, build.recorded([build.registered(), *course([("started", 1), ("page", 1), ("page", 1)])]))
    (run,) = rows(tables, "sync_run")
    page: Any = build.page()
    assert (run["issues"], run["appended"]) == (2 * page.issues, 2 * page.appended)
    assert (run["pages_done"], run["pages_total"]) == (2, page.pages_total)
