"""The events for runs that could not record their end themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.events import ProjectKey, SyncFailed, SyncMode
from libs.temporal import names
from services.telemetry.sweep.dead_runs import (
    NO_REASON,
    Close,
    Failure,
    How,
    LoggedRun,
    Run,
    RunState,
    Thresholds,
    Trouble,
    Waiting,
    blocked,
    closed,
    is_blocked,
    overdue,
    project_of,
    untaken,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = Thresholds()
RUN = Run(
    project=ProjectKey("acme", "DEMO"),
    workflow_id="sync:acme:DEMO",
    run_id="second",
    started_at=NOW - timedelta(hours=6),
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def failed_event(close: Close, logged: LoggedRun | None = None) -> SyncFailed:
    event = closed(RUN, "first", close, logged or LoggedRun())
    assert isinstance(event, SyncFailed)
    return event


@pytest.mark.parametrize(
    ("workflow_id", "expected"),
    [
        (names.sync_workflow_id("acme", "DEMO"), ("acme", "DEMO")),
        (names.sync_workflow_id("acme", "DEMO") + "-2026-03-01T12:00:00Z", ("acme", "DEMO")),
        (names.sync_workflow_id("a-b-2", "D_1") + "-2026-03-01T12:00:00.123Z", ("a-b-2", "D_1")),
        (names.control_workflow_id("acme", "DEMO", "1"), None),
        (names.census_workflow_id("acme", "DEMO") + "-2026-03-01T12:00:00Z", ("acme", "DEMO")),
        ("sync:somebody-else", None),
        ("sync:a:b:c", None),
    ],
)
def test_whose_run_it_is(workflow_id: str, expected: tuple[str, str] | None) -> None:
    assert project_of(workflow_id) == expected


def failing(seconds: float) -> Trouble:
    return Trouble(since=ago(seconds), failure=None)


@pytest.mark.parametrize(
    ("state", "trouble", "expected"),
    [
        (RunState(), None, False),
        # The third attempt is a second old, but the first one failed long ago.
        (RunState(task_since=ago(1), task_attempt=3), failing(46), True),
        (RunState(task_since=ago(1), task_attempt=2), failing(46), False),
        (RunState(task_since=ago(1), task_attempt=9), failing(44), False),
        (RunState(task_since=ago(1000), task_attempt=1), None, False),
        # It has got on meanwhile.
        (RunState(), failing(1000), False),
        (RunState(task_since=ago(46), task_attempt=1, cancel_requested=True), None, True),
        (RunState(task_since=ago(44), task_attempt=1, cancel_requested=True), None, False),
        (RunState(task_since=ago(1), task_attempt=3, cancel_requested=True), failing(46), True),
        # The activity that records the cancel waits for the event log: that is no standstill.
        (RunState(cancel_requested=True, waiting=(Waiting(queue="control", since=ago(1000)),)), None, False),
    ],
)
def test_when_a_run_is_blocked(state: RunState, trouble: Trouble | None, expected: bool) -> None:
    assert is_blocked(state, trouble, NOW, LIMITS) is expected


def test_what_waits_for_a_worker_too_long() -> None:
    retried_later, just_now = Waiting(queue="b", since=ago(-600)), Waiting(queue="c", since=ago(299))
    late, later = Waiting(queue="a", since=ago(301)), Waiting(queue="d", since=ago(900))
    state = RunState(waiting=(retried_later, late, just_now, later))
    assert overdue(state, NOW, LIMITS) == [later, late]


def test_a_run_is_recorded_under_its_first_id_with_what_the_log_holds_of_it() -> None:
    logged = LoggedRun(mode=SyncMode.FULL, started_at=ago(90), pages=7)
    event = failed_event(Close(how=How.TIMED_OUT, at=NOW), logged)
    assert (event.run_id, event.cause, event.occurred_at) == ("first", "first", NOW)
    assert (event.mode, event.pages_recorded, event.seconds) == (SyncMode.FULL, 7, 90)
    assert failed_event(Close(how=How.TIMED_OUT, at=NOW)).seconds == 6 * 3600


def test_the_text_of_each_end() -> None:
    timed_out = failed_event(Close(how=How.TIMED_OUT, at=NOW))
    assert (timed_out.code, timed_out.message) == ("TIMEOUT", "The run had not ended after 6 h, so Temporal ended it.")

    by_hand = failed_event(Close(how=How.TERMINATED, at=NOW, by="ann@laptop", reason="no time"))
    assert (by_hand.code, by_hand.message) == (
        "UNKNOWN",
        "The run was terminated in Temporal by ann@laptop: no time.",
    )
    without_reason = failed_event(Close(how=How.TERMINATED, at=NOW, reason=NO_REASON))
    assert without_reason.message == "The run was terminated in Temporal."

    silent = failed_event(Close(how=How.FAILED, at=NOW))
    assert (silent.code, silent.message) == ("UNKNOWN", "The run failed: Temporal does not tell why.")


def test_the_classified_failure_of_a_chain_counts_whatever_is_around_it() -> None:
    chain = (
        Failure(kind="", message="Activity task failed", step="prepare_scan"),
        Failure(kind="FORBIDDEN", message="The account may not browse the project."),
        Failure(kind="ValueError", message="inner"),
    )
    event = failed_event(Close(how=How.FAILED, at=NOW, failures=chain))
    assert (event.code, event.severity, event.category) == ("FORBIDDEN", "critical", "access")
    assert event.message == "The step prepare_scan failed: The account may not browse the project."
    unclassified = failed_event(Close(how=How.FAILED, at=NOW, failures=(chain[0], chain[2])))
    assert (unclassified.code, unclassified.message) == (
        "UNKNOWN",
        "The step prepare_scan failed: ValueError: inner.",
    )


def test_secrets_and_long_texts_are_not_quoted() -> None:
    failure = Failure(kind="RuntimeError", message="Authorization: Bearer abcdefgh12345678\n" + "x" * 9000)
    event = blocked(RUN, "first", NOW, LoggedRun(), 4, Trouble(since=NOW, failure=failure))
    assert "abcdefgh" not in event.message
    assert "\n" not in event.message
    assert len(event.message) < 600
    assert event.attempts == 4


def test_that_nobody_takes_a_run_up_is_critical() -> None:
    event = untaken(RUN, "first", NOW, LoggedRun(), Waiting(queue="jira.acme", since=ago(360)))
    assert (event.code, event.severity) == ("INGESTOR_DOWN", "critical")
    assert event.message == (
        "No ingestor takes up the work: the run has waited for 6 min, and nothing asks the queue jira.acme."
    )


@pytest.mark.parametrize("how", [How.TIMED_OUT, How.TERMINATED, How.FAILED])
def test_equal_deaths_have_equal_fingerprints(how: How) -> None:
    first, second = (failed_event(Close(how=how, at=NOW + timedelta(minutes=m))) for m in (0, 3))
    assert first.fingerprint == second.fingerprint != ""
