"""What failures, successes and people make of a project's pace and alerts."""

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
    Course,
    cancelled,
    failed,
    frame,
    paused,
    registered,
    rescheduled,
    resolved_by_hand,
    resumed,
    succeeded,
    unregistered,
)


def backoff(course: Course) -> tuple[int, int]:
    return course.state.wanted.level, course.state.wanted.seconds


def open_codes(course: Course) -> list[str]:
    return [alert.code for alert in course.state.alerts]


def told(events: list[Event]) -> list[tuple[str, str]]:
    """Kind and code of each alert event."""
    return [(type(event).__name__, getattr(event, "code", "")) for event in events]


def test_three_failures_of_one_code_slow_the_schedule_down_and_tell_people() -> None:
    course = Course()
    assert course.fail(times=2) == []
    assert backoff(course) == (0, 0)
    (raised,) = course.fail()
    assert isinstance(raised, AlertRaised)
    assert (raised.count, raised.category, raised.severity) == (3, "network", "warning")
    assert raised.last_seen - raised.first_seen == timedelta(minutes=2)
    assert backoff(course) == (1, 1800)
    assert course.state.wanted.anchor == course.now
    (repeated,) = course.fail()
    assert isinstance(repeated, AlertRepeated)
    assert (repeated.alert_id, repeated.count) == (raised.alert_id, 4)
    assert backoff(course) == (2, 3600)
    course.fail(times=10)
    assert backoff(course) == (5, 21600)
    assert course.state.wanted.failures == 14


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
    assert course.told == []


def test_another_code_begins_a_new_streak_but_keeps_the_level() -> None:
    course = Course()
    course.fail("NETWORK_GLITCH", 4)
    before = course.state.wanted
    assert course.fail("TIMEOUT", 2) == []
    assert course.state.wanted == before
    events = course.fail("TIMEOUT")
    assert told(events) == [("AlertRaised", "TIMEOUT"), ("AlertResolved", "NETWORK_GLITCH")]
    assert [event.end for event in events if isinstance(event, AlertResolved)] == [AlertEnd.SUPERSEDED]
    assert backoff(course) == (3, 7200)
    assert open_codes(course) == ["TIMEOUT"]


def test_a_suspended_site_is_asked_every_six_hours_from_the_first_failure_on() -> None:
    course = Course()
    (raised,) = course.fail("SUSPENDED_PAYMENT")
    assert isinstance(raised, AlertRaised)
    assert (raised.category, raised.severity, raised.count) == ("billing", "critical", 1)
    assert backoff(course) == (5, 21600)


def test_a_critical_failure_is_told_at_once_and_slowed_down_by_the_third() -> None:
    course = Course()
    assert told(course.fail("BAD_REQUEST")) == [("AlertRaised", "BAD_REQUEST")]
    assert backoff(course) == (0, 0)
    course.fail("BAD_REQUEST", 2)
    assert backoff(course) == (1, 1800)


@pytest.mark.parametrize("cron", ["0 5 * * *", "0 0 * * MON", "0 */6 * * *"])
def test_a_sparse_schedule_keeps_its_pace_and_people_are_told(cron: str) -> None:
    course = Course(cron)
    course.fail("AUTH_EXPIRED", 5)
    assert backoff(course) == (0, 0)
    assert open_codes(course) == ["AUTH_EXPIRED"]


@pytest.mark.parametrize("word", [resumed(), rescheduled(cron="*/5 * * * *")])
def test_the_word_of_people_begins_anew_and_leaves_alerts_open(word: Event) -> None:
    course = Course()
    course.fail(times=4)
    course.carried_out()
    assert course.state.recorded.level == 2
    assert course.then(word) == []
    assert (backoff(course), course.state.recorded.level, command_for(course.state)) == ((0, 0), 0, None)
    assert open_codes(course) == ["NETWORK_GLITCH"]
    assert told(course.fail()) == [("AlertRepeated", "NETWORK_GLITCH")]
    assert backoff(course) == (0, 0)
    course.fail(times=2)
    assert course.state.wanted.level == 1


def test_a_pause_changes_nothing_of_the_pace() -> None:
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
    assert told(course.fail()) == [("AlertRaised", "NETWORK_GLITCH")]


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
    (mine,) = course.told
    for number in (1, 2):
        course.then(msgspec.structs.replace(mine, alert_id=f"other-{number}", code="POISON_EVENT", cause="somebody"))
    course.then(AlertAcknowledged(**frame("control", course.now), alert_id="other-2"))
    course.succeed(2)
    assert [alert.alert_id for alert in course.state.alerts] == ["other-1", "other-2"]
    (resolved,) = course.succeed()
    assert isinstance(resolved, AlertResolved)
    assert resolved.alert_id == "other-1"
    assert [alert.alert_id for alert in course.state.alerts] == ["other-2"]


def test_with_the_project_its_alerts_end() -> None:
    course = Course()
    course.fail("AUTH_EXPIRED")
    (resolved,) = course.then(unregistered())
    assert isinstance(resolved, AlertResolved)
    assert resolved.end is AlertEnd.UNREGISTERED
    assert course.fail("AUTH_EXPIRED", 3) == []
    assert command_for(course.state) is None
    course.then(registered())
    assert told(course.fail("AUTH_EXPIRED")) == [("AlertRaised", "AUTH_EXPIRED")]


def test_slow_runs_raise_one_alert_and_usual_ones_resolve_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def observe(baseline: Baseline, run: Measured) -> tuple[Baseline, Verdict]:
        slow = run.seconds > 100
        return Baseline(baseline.modes | {run.mode: Memory(slow=slow)}), Verdict(slow, "Took long.")

    monkeypatch.setattr(latency, "observe", observe)
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
    standing: dict[str, str] = {}
    ever: set[str] = set()
    for event in events:
        for led_to in course.then(event):
            if isinstance(led_to, AlertRaised):
                assert led_to.alert_id not in ever
                ever.add(led_to.alert_id)
                standing[led_to.alert_id] = led_to.code
            elif isinstance(led_to, AlertRepeated):
                assert led_to.alert_id in standing
            elif isinstance(led_to, AlertResolved):
                del standing[led_to.alert_id]
        assert {alert.alert_id: alert.code for alert in course.state.alerts} == standing
        assert len(standing) <= 1, "of failures one alert at most is open"
        if course.state.wanted.level:
            assert standing, "slowed down, and nobody is told"


@given(st.lists(EVENTS, max_size=40))
def test_the_state_is_the_same_after_it_was_stored_and_read_back(events: list[Event]) -> None:
    course, stored = Course(), Course()
    for event in events:
        assert course.then(event) == stored.then(event)
        stored.state = msgspec.json.decode(msgspec.json.encode(stored.state), type=ProjectState)
    assert course.state == stored.state


@given(st.lists(EVENTS, max_size=40))
def test_the_pace_never_undercuts_the_schedule_and_is_asked_for_until_it_is_recorded(events: list[Event]) -> None:
    course = Course()
    for event in events:
        course.then(event)
        wanted = course.state.wanted
        if wanted.level:
            assert course.state.base_gap < wanted.seconds <= course.rules.cap
        if command_for(course.state) is not None:
            course.carried_out()
            assert command_for(course.state) is None
