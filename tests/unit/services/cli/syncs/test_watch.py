from datetime import UTC, datetime
from typing import Any

from libs.events import (
    TOPIC_OF,
    Event,
    Recorded,
    SyncCancelled,
    SyncMode,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    stream_id,
)
from services.cli.syncs.watch import SyncProgress

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(kind: type[Event], position: int, *, project: str = "DEMO", **values: Any) -> Recorded:
    event = kind(
        stream_id=stream_id("demo", "sync", project),
        site="demo",
        project=project,
        occurred_at=THEN,
        cause="test",
        **values,
    )
    return Recorded(position, event, TOPIC_OF[kind], b"")


def started(position: int, run_id: str, *request_ids: str, project: str = "DEMO") -> Recorded:
    return recorded(
        SyncStarted,
        position,
        project=project,
        run_id=run_id,
        workflow_id="w",
        mode=SyncMode.FULL,
        reason="",
        since=None,
        request_ids=request_ids,
    )


def page(position: int, run_id: str, number: int) -> Recorded:
    return recorded(
        SyncPageRecorded,
        position,
        run_id=run_id,
        page=number,
        pages_total=2,
        issues=100,
        comments=0,
        worklogs=0,
        sprints=0,
        users=0,
        appended=100,
    )


def ended(position: int, run_id: str) -> Recorded:
    return recorded(SyncCancelled, position, run_id=run_id, reason="", pages_recorded=2)


def test_the_run_that_serves_the_request_is_followed_to_its_end() -> None:
    progress = SyncProgress("demo", "DEMO", "mine")
    for event in (started(1, "other"), page(2, "other", 1), ended(3, "other"), started(4, "ours", "yours", "mine")):
        progress.take(event)
    assert (progress.run_id, progress.end, progress.pages) == ("ours", None, 0)
    for event in (page(5, "ours", 2), page(6, "ours", 1), ended(7, "ours")):
        progress.take(event)
    assert (progress.pages, progress.pages_total, progress.issues) == (2, 2, 200)
    assert progress.end_position == 7


def test_a_run_that_ours_waits_for_is_shown() -> None:
    progress = SyncProgress("demo", "DEMO", "mine")
    assert progress.take(page(1, "earlier", 9))
    assert (progress.current_run_id, progress.pages, progress.run_id) == ("earlier", 1, None)


def test_without_a_request_the_first_run_of_the_project_is_followed() -> None:
    progress = SyncProgress("demo", "DEMO")
    assert not progress.take(started(1, "elsewhere", project="OTHER"))
    for event in (started(2, "ours"), started(3, "next"), ended(4, "next")):
        assert progress.take(event)
    assert (progress.run_id, progress.end) == ("ours", None)


def test_the_end_of_a_run_that_began_before_is_not_ours() -> None:
    progress = SyncProgress("demo", "DEMO")
    progress.take(ended(1, "earlier"))
    assert progress.end is None


def test_a_run_that_tells_only_of_its_end_is_the_first_that_begins_unless_one_is_asked_for() -> None:
    counts = dict.fromkeys(("issues", "comments", "worklogs", "sprints", "users", "appended", "requests"), 0)
    told: dict[str, Any] = {"run_id": "short", "mode": SyncMode.INCREMENTAL, "seconds": 1.0, **counts}
    short = recorded(SyncSucceeded, 7, **told, began_at=THEN)
    first, asked = SyncProgress("demo", "DEMO"), SyncProgress("demo", "DEMO", "mine")
    for progress in (first, asked):
        progress.take(short)
    assert (first.run_id, first.end_position, asked.run_id, asked.end) == ("short", 7, None, None)
