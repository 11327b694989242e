"""What people decided about a project: for any course of decisions, what is set now, and the history of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event as sql

from libs.events import (
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    ScheduleStretched,
    StretchEnded,
    SyncRequested,
    TrackedUsersChanged,
)
from tests.unit.made import build
from tests.unit.services.projector.applied import after, apply, dump, empty_tables, rows

DECISIONS: Sequence[Callable[[], Event]] = (
    build.registered,
    lambda: build.registered("0 * * * *"),
    build.unregistered,
    lambda: build.tracked("u1", "u2"),
    build.tracked,
    lambda: build.schedule_changed("0 3 * * *"),
    build.paused,
    build.resumed,
    build.requested,
    build.schedule_stretched,
    build.stretch_ended,
)

KINDS: dict[type[Event], str] = {
    ProjectRegistered: "REGISTERED",
    ProjectUnregistered: "UNREGISTERED",
    TrackedUsersChanged: "WATCH_LIST",
    ScheduleChanged: "SCHEDULE",
    SchedulePaused: "PAUSED",
    ScheduleResumed: "RESUMED",
    SyncRequested: "SYNC_REQUESTED",
    ScheduleStretched: "STRETCHED",
    StretchEnded: "STRETCH_ENDED",
}


def last(decided: Sequence[Event], *kinds: type[Event]) -> Any:
    """The newest event of these kinds; None when there is none."""
    return next((event for event in reversed(decided) if isinstance(event, kinds)), None)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(DECISIONS), min_size=1, max_size=12), st.integers(1, 5))
def test_what_is_set_is_what_was_decided_last(makers: list[Callable[[], Event]], size: int) -> None:
    decided = [make() for make in makers]
    log = build.recorded(decided)
    with empty_tables() as whole, empty_tables() as parts:
        apply(whole, log)
        for start in range(0, len(log), size):
            for _ in range(2):
                apply(parts, log[start : start + size])
        assert dump(parts) == dump(whole)

        history = rows(whole, "project_change")
        assert [(row["kind"], row["position"]) for row in history] == [
            (KINDS[type(event)], position) for position, event in enumerate(decided, 1)
        ]
        listed = last(decided, TrackedUsersChanged, ProjectUnregistered)
        tracked = listed.account_ids if isinstance(listed, TrackedUsersChanged) else ()
        assert tuple(row["account_id"] for row in rows(whole, "tracked_user")) == tracked
        if {type(event) for event in decided} == {SyncRequested}:
            return  # nothing is set by asking for a sync
        (project,), (job,) = rows(whole, "project"), rows(whole, "sync_job")
        registration = last(decided, ProjectRegistered, ProjectUnregistered)
        assert project["registered"] == isinstance(registration, ProjectRegistered)
        assert (project["registered_at"] is None) == (last(decided, ProjectRegistered) is None)
        scheduled = last(decided, ProjectRegistered, ScheduleChanged)
        assert job["cron"] == (scheduled.cron if scheduled else "")
        paces = (ScheduleStretched, StretchEnded, ProjectRegistered, ProjectUnregistered, ScheduleChanged)
        pace = last(decided, *paces)
        assert job["stretch_seconds"] == (pace.seconds if isinstance(pace, ScheduleStretched) else 0)
        assert (job["stretch_anchor"] is not None) == isinstance(pace, ScheduleStretched)
        paused = isinstance(last(decided, SchedulePaused, ScheduleResumed, ProjectRegistered), SchedulePaused)
        assert job["status"] == ("PAUSED" if paused else "ACTIVE")
        assert (job["paused_by"], job["pause_reason"]) == (("ada", "holiday") if paused else (None, None))
        assert (job["paused_at"] is not None) == paused


def test_facts_alone_touch_no_table_of_runs_settings_or_states() -> None:
    """They are nearly all of the log: what is kept of runs and settings must cost nothing on them."""
    connection = after(build.registered(), build.started())
    statements: list[str] = []

    @sql.listens_for(connection, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        statements.append(statement)

    apply(connection, build.recorded([build.issue(), build.comment(), build.worklog(), build.user("u1")], first=3))
    assert statements
    costly = ("sync_run", "project_change", "sync_job", "sync_state", "sync_log", "tracked_user")
    assert not [statement for statement in statements if any(table in statement for table in costly)]
