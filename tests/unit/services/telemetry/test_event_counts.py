from datetime import UTC, datetime
from typing import Any

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from libs.events import (
    Event,
    Evidence,
    Recorded,
    SyncCancelled,
    SyncFailed,
    SyncMode,
    SyncRequested,
    SyncSucceeded,
    stream_id,
)
from services.telemetry.event_counts import count_event

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def envelope(project: str) -> dict[str, Any]:
    return {
        "stream_id": stream_id("acme", "sync", project),
        "site": "acme",
        "project": project,
        "occurred_at": THEN,
        "cause": "test",
    }


def at(event: Event, position: int = 7) -> Recorded:
    return Recorded(position, event, "", b"")


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"site": "acme", **labels}) or 0.0


def test_a_success_is_counted_timed_and_logged_with_its_numbers() -> None:
    event = SyncSucceeded(
        **envelope("GOOD"),
        run_id="r",
        mode=SyncMode.FULL,
        issues=10,
        comments=4,
        worklogs=3,
        sprints=2,
        users=1,
        appended=20,
        requests=5,
        seconds=1.5,
    )
    with capture_logs() as lines:
        count_event(at(event))
    assert value("jira_sync_runs_total", project="GOOD", outcome="succeeded", code="") == 1
    assert value("jira_sync_rows_total", project="GOOD", entity="comments") == 4
    assert value("jira_sync_duration_seconds_sum", project="GOOD", mode="FULL") == 1.5
    assert (lines[0]["event"], lines[0]["issues"], lines[0]["log_level"]) == ("sync finished", 10, "info")


def test_a_failure_is_counted_by_code_and_logged_with_its_advice() -> None:
    event = SyncFailed(
        **envelope("BAD"),
        run_id="r",
        mode=None,
        code="AUTH_EXPIRED",
        message="401",
        advice="renew the token",
        evidence=Evidence(status=401),
        attempts=1,
        pages_recorded=0,
        seconds=0.1,
    )
    with capture_logs() as lines:
        count_event(at(event))
    assert value("jira_sync_runs_total", project="BAD", outcome="failed", code="AUTH_EXPIRED") == 1
    assert (lines[0]["log_level"], lines[0]["advice"]) == ("warning", "renew the token")


def test_a_cancel_is_no_failure() -> None:
    count_event(at(SyncCancelled(**envelope("STOP"), run_id="r", reason="asked", pages_recorded=1)))
    assert value("jira_sync_runs_total", project="STOP", outcome="cancelled", code="") == 1


def test_every_other_event_is_logged_under_its_name() -> None:
    event = SyncRequested(**envelope("ASK"), request_id="q", full=False, account_ids=(), reason="")
    with capture_logs() as lines:
        count_event(at(event))
    assert lines[0]["event_type"] == "SyncRequested"


def test_the_number_of_events_is_shown() -> None:
    def handled() -> float:
        labels = {"service": "telemetry", "topic": "SyncRequested", "outcome": "ok"}
        return REGISTRY.get_sample_value("jdi_events_handled_total", labels) or 0.0

    before = handled()
    count_event(at(SyncRequested(**envelope("ASK"), request_id="q", full=False, account_ids=(), reason=""), 41))
    assert handled() == before + 1
