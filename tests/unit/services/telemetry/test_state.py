"""What failures, successes and people make of a project's backoff and alerts."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import AlertAcknowledged, AlertEnd, AlertRaised, AlertRepeated, AlertResolved, Event
from services.telemetry import latency
from services.telemetry.backoff_commands import command_for
from services.telemetry.latency import Baseline, Measured, Memory, Verdict
from services.telemetry.state import ProjectState
from tests.unit.services.telemetry.course import (
    START,
    Course,
    cancelled,
    envelope,
    failed,
    paused,
    registered,
    rescheduled,
    resolved_by_hand,
    resumed,
    succeeded,
    unregistered,
)


def backoff(course: Course) -> tuple[int, int]:
    return course.state.desired.level, course.state.desired.seconds


def open_codes(course: Course) -> list[str]:
    return [alert.code for alert in course.state.alerts]


def alerted(events: list[Event]) -> list[tuple[str, str]]:
    """Kind and code of each alert event."""
    return [(type(event).__name__, getattr(event, "code", "")) for event in events]


def test_three_failures_of_one_code_slow_the_schedule_down_and_raise_an_alert() -> None:
    course = Course()
    assert course.fail(times=2) == []
    assert backoff(course) == (0, 0)
    (raised,) = course.fail()
    assert isinstance(raised, AlertRaised)
    assert (raised.count, raised.category, raised.severity) == (3, "network", "warning")
    assert raised.last_seen - raised.first_seen == timedelta(minutes=2)
    assert backoff(course) == (1, 1800)
    assert course.state.desired.anchor == course.now
    (repeated,) = course.fail()
    assert isinstance(repeated, AlertRepeated)
    assert (repeated.alert_id, repeated.count) == (raised.alert_id, 4)
    assert backoff(course) == (2, 3600)
    course.fail(times=10)
    assert backoff(course) == (5, 21600)
    assert course.state.desired.failures == 14


def test_the_first_success_restores_everything() -> None:
    course = Course()
    course.fail(times=7)
    (resolved,) = course.succeed()
    assert isinstance(resolved, AlertResolved)
    assert (resolved.end, resolved.count) == (AlertEnd.RECOVERED, 7)
    assert (backoff(course), course.state.alerts, course.state.streak.failures) == ((0, 0), (), 0)
    assert course.fail(times=2) == []
    assert backoff(course) == (0, 0)


def test_failures_of_different_codes_in_turn_are_no_streak() -> None:
    course = Course()
    for _ in range(10):
        course.fail("NETWORK_GLITCH")
        course.fail("TIMEOUT")
    assert backoff(course) == (0, 0)
    assert course.led_to == []


def test_another_code_begins_a_new_streak_but_keeps_the_level() -> None:
    course = Course()
    course.fail("NETWORK_GLITCH", 4)
    before = course.state.desired
    assert course.fail("TIMEOUT", 2) == []
    assert course.state.desired == before
    events = course.fail("TIMEOUT")
    assert alerted(events) == [("AlertRaised", "TIMEOUT"), ("AlertResolved", "NETWORK_GLITCH")]
    assert [event.end for event in events if isinstance(event, AlertResolved)] == [AlertEnd.SUPERSEDED]
    assert backoff(course) == (3, 7200)
    assert open_codes(course) == ["TIMEOUT"]


def test_a_suspended_site_is_asked_every_six_hours_from_the_first_failure_on() -> None:
    course = Course()
    (raised,) = course.fail("SUSPENDED_PAYMENT")
    assert isinstance(raised, AlertRaised)
    assert (raised.category, raised.severity, raised.count) == ("billing", "critical", 1)
    assert backoff(course) == (5, 21600)


def test_a_critical_failure_raises_an_alert_at_once_and_is_slowed_down_by_the_third() -> None:
    course = Course()
    assert alerted(course.fail("BAD_REQUEST")) == [("AlertRaised", "BAD_REQUEST")]
    assert backoff(course) == (0, 0)
    course.fail("BAD_REQUEST", 2)
    assert backoff(course) == (1, 1800)


@pytest.mark.parametrize("cron", ["0 5 * * *", "0 0 * * MON", "0 */6 * * *"])
def test_a_sparse_schedule_is_not_slowed_down_but_an_alert_is_raised(cron: str) -> None:
    course = Course(cron)
    course.fail("AUTH_EXPIRED", 5)
    assert backoff(course) == (0, 0)
    assert open_codes(course) == ["AUTH_EXPIRED"]


@pytest.mark.parametrize("decision", [resumed(), rescheduled(cron="*/5 * * * *")])
def test_a_decision_of_people_begins_anew_and_leaves_alerts_open(decision: Event) -> None:
    course = Course()
    course.fail(times=4)
    course.carried_out()
    assert course.state.recorded.level == 2
    assert course.then(decision) == []
    assert (backoff(course), course.state.recorded.level, command_for(course.state)) == ((0, 0), 0, None)
    assert open_codes(course) == ["NETWORK_GLITCH"]
    assert alerted(course.fail()) == [("AlertRepeated", "NETWORK_GLITCH")]
    assert backoff(course) == (0, 0)
    course.fail(times=2)
    assert course.state.desired.level == 1


def test_a_pause_changes_nothing_of_the_backoff() -> None:
    course = Course()
    course.fail(times=4)
    course.carried_out()
    before = course.state
    course.then(paused())
    assert course.state == msgspec.structs.replace(before, paused=True)


def test_a_cancelled_run_is_nobody_s_failure() -> None:
    course = Course()
    course.fail(times=2)
    course.then(cancelled())
    assert alerted(course.fail()) == [("AlertRaised", "NETWORK_GLITCH")]


def test_an_alert_resolved_by_hand_is_raised_again_by_the_next_failure() -> None:
    course = Course()
    (first,) = course.fail(times=3)
    assert isinstance(first, AlertRaised)
    course.then(resolved_by_hand(first.alert_id))
    assert open_codes(course) == []
    (second,) = course.fail()
    assert isinstance(second, AlertRaised)
    assert second.alert_id != first.alert_id
    assert second.fingerprint == first.fingerprint


def test_its_own_alerts_change_nothing_when_they_come_by() -> None:
    course = Course()
    (raised,) = course.fail(times=3)
    (resolved,) = course.succeed()
    before = course.state
    assert course.then(raised, resolved) == []
    assert course.state == before


def test_alerts_of_others_end_after_three_successes_unless_somebody_is_at_them() -> None:
    course = Course()
    course.fail(times=3)
    (mine,) = course.led_to
    for number in (1, 2):
        course.then(msgspec.structs.replace(mine, alert_id=f"other-{number}", code="POISON_EVENT", cause="somebody"))
    course.then(AlertAcknowledged(**envelope("control", course.now), alert_id="other-2"))
    course.succeed(2)
    assert [alert.alert_id for alert in course.state.alerts] == ["other-1", "other-2"]
    (resolved,) = course.succeed()
    assert isinstance(resolved, AlertResolved)
    assert resolved.alert_id == "other-1"
    assert [alert.alert_id for alert in course.state.alerts] == ["other-2"]


def test_records_that_are_set_aside_raise_one_alert_until_they_can_be_read() -> None:
    course = Course()

    def run(records: int, *named: str) -> list[Event]:
        return course.then(msgspec.structs.replace(succeeded(course.now), quarantined=records, quarantine=named))

    assert run(2) == []
    (raised,) = run(2, "Issue KEY-1, comment 7: `id` is missing")
    assert isinstance(raised, AlertRaised)
    assert (raised.code, raised.severity, raised.category) == ("POISON_EVENT", "warning", "contract")
    assert raised.message == "2 records could not be read, set aside in KEY: Issue KEY-1, comment 7: `id` is missing."
    assert run(1, "Issue KEY-1, comment 7: `id` is missing") == []
    assert alerted(course.fail("AUTH_EXPIRED")) == [("AlertRaised", "AUTH_EXPIRED")]
    ended = run(0)
    assert alerted(ended) == [("AlertResolved", "AUTH_EXPIRED"), ("AlertResolved", "POISON_EVENT")]


def test_with_the_project_its_alerts_end() -> None:
    course = Course()
    course.fail("AUTH_EXPIRED")
    (resolved,) = course.then(unregistered())
    assert isinstance(resolved, AlertResolved)
    assert resolved.end is AlertEnd.UNREGISTERED
    assert course.fail("AUTH_EXPIRED", 3) == []
    assert command_for(course.state) is None
    course.then(registered())
    assert alerted(course.fail("AUTH_EXPIRED")) == [("AlertRaised", "AUTH_EXPIRED")]


def test_slow_runs_raise_one_alert_and_usual_ones_resolve_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(baseline: Baseline, run: Measured) -> tuple[Baseline, Verdict]:
        slow = run.seconds > 100
        return Baseline(baseline.modes | {run.mode: Memory(slow=slow)}), Verdict(slow, "Took long.")

    monkeypatch.setattr(latency, "judge", judge)
    course = Course()
    (raised,) = course.then(*(succeeded(seconds=200) for _ in range(5)))
    assert isinstance(raised, AlertRaised)
    assert (raised.code, raised.category, raised.message) == ("SLOW_SUCCESS", "latency", "Took long.")
    assert course.fail(times=2) == []
    assert open_codes(course) == ["SLOW_SUCCESS"]
    (resolved,) = course.succeed(3)
    assert isinstance(resolved, AlertResolved)
    assert (resolved.alert_id, resolved.end) == (raised.alert_id, AlertEnd.RECOVERED)


CODES = st.sampled_from(["NETWORK_GLITCH", "TIMEOUT", "AUTH_EXPIRED", "BAD_REQUEST", "NEWER_CODE"])
EVENTS = st.one_of(
    CODES.map(failed),
    CODES.map(failed),
    st.just(succeeded()),
    st.just(cancelled()),
    st.just(paused()),
    st.just(resumed()),
    st.sampled_from(["*/5 * * * *", "0 */4 * * *", "0 0 * * *"]).map(lambda cron: rescheduled(cron=cron)),
    st.just(unregistered()),
    st.just(registered()),
)
"""A few of these may follow one another as the ingestor would never have it: the fold takes them as they come."""


@given(st.lists(EVENTS, max_size=40))
def test_alerts_are_raised_once_and_end_once(events: list[Event]) -> None:
    course = Course()
    still_open: dict[str, str] = {}
    ever: set[str] = set()
    for event in events:
        for led_to in course.then(event):
            if isinstance(led_to, AlertRaised):
                assert led_to.alert_id not in ever
                ever.add(led_to.alert_id)
                still_open[led_to.alert_id] = led_to.code
            elif isinstance(led_to, AlertRepeated):
                assert led_to.alert_id in still_open
            elif isinstance(led_to, AlertResolved):
                del still_open[led_to.alert_id]
        assert {alert.alert_id: alert.code for alert in course.state.alerts} == still_open
        assert len(still_open) <= 1, "of failures one alert at most is open"
        if course.state.desired.level:
            assert still_open, "slowed down, and no alert is open"


@given(st.lists(EVENTS, max_size=40))
def test_the_state_is_the_same_after_it_was_stored_and_read_back(events: list[Event]) -> None:
    course, stored = Course(), Course()
    for event in events:
        assert course.then(event) == stored.then(event)
        stored.state = msgspec.json.decode(msgspec.json.encode(stored.state), type=ProjectState)
    assert course.state == stored.state


@given(st.lists(EVENTS, max_size=40))
def test_the_backoff_never_undercuts_the_schedule_and_is_asked_for_until_it_is_recorded(events: list[Event]) -> None:
    course = Course()
    for event in events:
        course.then(event)
        desired = course.state.desired
        if desired.level:
            assert course.state.base_gap < desired.seconds <= course.rules.cap
        if command_for(course.state) is not None:
            course.carried_out()
            assert command_for(course.state) is None


SAVED_BEFORE = (
    b'{"site":"acme","project":"KEY","registered":true,"since":"2026-01-01T00:01:00Z","paused":true,'
    b'"succeeded":"2026-01-01T00:02:00Z","base_gap":900.0,"longest_gap":901.0,'
    b'"streak":{"code":"TIMEOUT","failures":4,"since":"2026-01-01T00:03:00Z"},'
    b'"wanted":{"level":2,"code":"TIMEOUT","failures":4,"seconds":3600,"anchor":"2026-01-01T00:06:00Z",'
    b'"run_id":"run","decided":6},'
    b'"recorded":{"level":1,"code":"TIMEOUT","failures":3,"seconds":1800,"anchor":"2026-01-01T00:05:00Z",'
    b'"since":"2026-01-01T00:05:00Z","version":3},"successes":2,'
    b'"alerts":[{"alert_id":"a","fingerprint":"f","code":"TIMEOUT","about":"failures",'
    b'"first_seen":"2026-01-01T00:03:00Z","count":4,"acknowledged":true}],'
    b'"baseline":{"modes":{"FULL":[[[10,1.5,0.25]],[[11,1.6,0.5]],3,[0.2,1.0,0.1,0.4,12,0.6],0.7,[true],true,2]}},'
    b'"slow":true,'
    b'"proof":{"since":"2026-01-01T00:01:00Z","proved":"2026-01-01T00:04:00Z","failures":1,'
    b'"overdue":"2026-01-01T00:05:00Z","differences":{"issue/LATE":1},"unexplained":{"issue":["1"]}},'
    b'"stretch":{"seconds":7200,"anchor":"2026-01-01T00:06:00Z"}}'
)
"""Every field, none at its default, as telemetry saved it when `desired` was called `wanted` (commit f63bdc6), and the
last two as it saves them since there are censuses, and webhooks that spare runs."""


def test_a_state_that_an_earlier_version_saved_is_read_whole_and_saved_the_same() -> None:
    """So nothing of it is lost in an update, nor when one is taken back."""
    state = msgspec.json.decode(SAVED_BEFORE, type=ProjectState)
    assert (state.desired.level, state.desired.decided, state.desired.anchor) == (2, 6, START + timedelta(minutes=6))
    assert (state.recorded.level, state.streak.failures, state.slow) == (1, 4, True)
    assert state.baseline.modes["FULL"].since_learnt == 3
    assert msgspec.json.encode(state) == SAVED_BEFORE
    saved = msgspec.json.decode(SAVED_BEFORE)
    assert saved.keys() == {field.encode_name for field in msgspec.structs.fields(ProjectState)}, "a field is untested"
