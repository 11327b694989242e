"""What back-off, alert and notification commands come to, and why some come to nothing or are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertRaised,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    Event,
    NotificationRedriven,
    NotificationRequested,
    ScheduleResumed,
    stream_id,
)
from libs.temporal.messages import (
    AcknowledgeAlert,
    AnyCommand,
    ApplyBackoff,
    ClearBackoff,
    RedriveNotification,
    ResolveAlert,
    SendTestNotification,
    SilenceAlerts,
    StartSync,
)
from services.ingestor.control.decisions import LONGEST_SILENCE, decide
from services.ingestor.control.refusals import RefusedError
from services.ingestor.control.schedules import _note, _spec
from services.ingestor.control.state import ControlState, fold_control
from tests.unit.services.telemetry.course import (
    PROJECT,
    SITE,
    envelope,
    paused,
    registered,
    rescheduled,
    resolved_by_hand,
    resumed,
    unregistered,
)

NOW = datetime(2026, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)
GIVEN: dict[str, Any] = {"site": SITE, "project": PROJECT, "command_id": "c", "actor": "ann"}
SLOWER: dict[str, Any] = {
    "level": 2,
    "code": "TIMEOUT",
    "failures": 4,
    "seconds": 3600,
    "anchor": NOW - timedelta(minutes=1),
    "run_id": "run-4",
}


def raised(alert_id: str = "a1") -> AlertRaised:
    return AlertRaised(
        **envelope("control", NOW),
        alert_id=alert_id,
        fingerprint="f",
        code="TIMEOUT",
        category="network",
        severity="warning",
        message="m",
        advice="a",
        first_seen=NOW,
        last_seen=NOW,
        count=3,
    )


def after(*events: Event) -> ControlState:
    numbered = (msgspec.structs.replace(event, stream_version=number) for number, event in enumerate(events, 1))
    return fold_control(numbered)


def events_of(command: AnyCommand, state: ControlState) -> tuple[Event, ...]:
    return decide(command, state, NOW).events


SLOWED = BackoffApplied(**envelope("control", NOW), **SLOWER)


def test_a_back_off_is_recorded_as_it_was_asked_for() -> None:
    (event,) = events_of(ApplyBackoff(**GIVEN, **SLOWER, expected_version=1), after(registered(), paused()))
    assert isinstance(event, BackoffApplied)
    assert {name: getattr(event, name) for name in SLOWER} == SLOWER
    assert event.cause == "ann"


@pytest.mark.parametrize("word", [resumed(), rescheduled(), registered()])
def test_the_word_of_people_overtakes_a_back_off(word: Event) -> None:
    state = after(registered(), word)
    assert state.backoff.version == 2
    assert events_of(ApplyBackoff(**GIVEN, **SLOWER, expected_version=1), state) == ()
    assert len(events_of(ApplyBackoff(**GIVEN, **SLOWER, expected_version=2), state)) == 1


def test_pauses_and_alerts_overtake_nothing() -> None:
    state = after(registered(), paused(), raised(), resolved_by_hand("a1"))
    assert len(events_of(ApplyBackoff(**GIVEN, **SLOWER, expected_version=1), state)) == 1


def test_a_back_off_is_cleared_once() -> None:
    state = after(registered(), SLOWED)
    (event,) = events_of(ClearBackoff(**GIVEN, run_id="r", expected_version=2), state)
    assert isinstance(event, BackoffCleared)
    assert events_of(ClearBackoff(**GIVEN, run_id="r", expected_version=1), state) == ()
    assert events_of(ClearBackoff(**GIVEN, run_id="r", expected_version=3), after(registered(), SLOWED, event)) == ()


@pytest.mark.parametrize("state", [after(), after(registered(), unregistered())])
def test_the_pace_of_a_project_that_is_not_registered_comes_to_nothing(state: ControlState) -> None:
    settled = state.backoff.version
    assert events_of(ApplyBackoff(**GIVEN, **SLOWER, expected_version=settled), state) == ()
    assert events_of(ClearBackoff(**GIVEN, run_id=None, expected_version=settled), state) == ()


def test_starting_a_slowed_project_restores_its_schedule() -> None:
    kinds = [type(event) for event in events_of(StartSync(**GIVEN), after(registered(), SLOWED))]
    assert kinds[0] is ScheduleResumed
    assert ScheduleResumed not in [type(event) for event in events_of(StartSync(**GIVEN), after(registered()))]


def test_an_alert_is_acknowledged_once_and_resolved_once() -> None:
    log: list[Event] = [registered(), raised()]
    acknowledge = AcknowledgeAlert(**GIVEN, alert_id="a1", reason="looking")
    (acknowledged,) = events_of(acknowledge, after(*log))
    assert isinstance(acknowledged, AlertAcknowledged)
    log.append(acknowledged)
    assert events_of(acknowledge, after(*log)) == ()
    resolve = ResolveAlert(**GIVEN, alert_id="a1", reason="done")
    (resolved,) = events_of(resolve, after(*log))
    assert isinstance(resolved, AlertResolved)
    assert (resolved.end, resolved.count, resolved.code, resolved.reason) == (AlertEnd.BY_HAND, 3, "TIMEOUT", "done")
    log.append(resolved)
    assert events_of(resolve, after(*log)) == ()
    assert events_of(acknowledge, after(*log)) == ()


@pytest.mark.parametrize("kind", [AcknowledgeAlert, ResolveAlert])
def test_an_unknown_alert_is_refused_with_a_hint(kind: type[AcknowledgeAlert | ResolveAlert]) -> None:
    with pytest.raises(RefusedError, match=r"has no alert a2\. The query `alerts`") as refused:
        decide(kind(**GIVEN, alert_id="a2"), after(registered(), raised()), NOW)
    assert (refused.value.code, refused.value.field) == ("UNKNOWN_ALERT", "id")


def test_alerts_outlive_a_new_registration() -> None:
    state = after(registered(), raised(), unregistered(), registered())
    assert len(events_of(ResolveAlert(**GIVEN, alert_id="a1"), state)) == 1


@pytest.mark.parametrize(
    ("until", "stored"),
    [
        (NOW + timedelta(hours=1), NOW + timedelta(hours=1)),
        (NOW + timedelta(days=400), NOW + LONGEST_SILENCE),
        (NOW - timedelta(hours=1), NOW),
        (None, NOW),
    ],
)
def test_a_silence_lasts_ninety_days_at_most_and_can_be_lifted(until: datetime | None, stored: datetime) -> None:
    (event,) = events_of(SilenceAlerts(**GIVEN, until=until), after(registered()))
    assert isinstance(event, AlertsSilenced)
    assert (event.until, event.code) == (stored, None)


def test_a_silence_names_a_code_that_exists() -> None:
    with pytest.raises(RefusedError, match="no alerts of code 'TIME_OUT'; give one of SUSPENDED_PAYMENT"):
        decide(SilenceAlerts(**GIVEN, until=None, code="TIME_OUT"), after(registered()), NOW)


def test_notices_have_a_stream_of_their_own_and_need_no_project() -> None:
    given = {**GIVEN, "project": ""}
    (tested,) = events_of(
        SendTestNotification(**given, notification_id="n", channel="email", to=("a@b.example",)), after()
    )
    (redriven,) = events_of(RedriveNotification(**given, notification_id="n", channel="email"), after())
    assert isinstance(tested, NotificationRequested)
    assert isinstance(redriven, NotificationRedriven)
    assert tested.to == ("a@b.example",)
    for event in (tested, redriven):
        assert (event.stream_id, event.project) == (stream_id(SITE, "notice", "n"), "")


def test_a_slowed_schedule_runs_at_its_interval_and_says_so() -> None:
    state = after(registered(), SLOWED)
    spec = _spec(state, timedelta(seconds=30))
    (interval,) = spec.intervals
    assert (spec.cron_expressions, spec.time_zone_name, spec.jitter) == ([], "UTC", timedelta(seconds=30))
    assert (interval.every, interval.offset) == (timedelta(hours=1), timedelta(minutes=59))
    assert _note(state) == "Slowed down after 4 failed runs: TIMEOUT, every 1 h until a run succeeds"
    assert _note(after(registered(), SLOWED, paused())).startswith("Paused by test. Slowed down after 4 failed runs")
    assert after(registered(), SLOWED, paused()).paused


def test_a_restored_schedule_is_the_one_it_was() -> None:
    before, restored = after(registered()), after(registered(), SLOWED, resumed())
    assert restored.backoff.level == 0
    specs = [_spec(msgspec.structs.replace(state, version=0), timedelta(0)) for state in (before, restored)]
    assert specs[0] == specs[1]
    assert _note(restored) == ""
