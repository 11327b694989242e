"""A cause that concerns a whole site ends for all its projects with the first success of one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import TOPIC_OF, AlertEnd, AlertRaised, AlertResolved, Event, ProjectKey, Recorded
from libs.temporal.messages import ApplyBackoff, ClearBackoff
from services.telemetry.backoff import Rules
from services.telemetry.backoff_commands import command_for
from services.telemetry.projects import States, folded
from services.telemetry.state import ProjectState
from tests.unit.made.alerts import raised as alert_raised
from tests.unit.services.telemetry.course import START, failed, registered, resumed, succeeded, unregistered

A, B, C = (ProjectKey("acme", name) for name in "ABC")
ELSEWHERE = ProjectKey("other", "A")


class Log:
    """Events of several projects, folded as telemetry folds them."""

    def __init__(self, *projects: ProjectKey) -> None:
        self.states: States = {}
        self.recorded: list[Recorded] = []
        self.led_to: list[Event] = []
        for project in projects:
            self.then(project, registered())

    def then(self, project: ProjectKey, event: Event, times: int = 1) -> list[Event]:
        led_to: list[Event] = []
        for _ in range(times):
            batch = [self.placed(project, event)]
            self.states, more = folded(self.states, batch, Rules())
            led_to += more
        self.led_to += led_to
        return led_to

    def placed(self, project: ProjectKey, event: Event) -> Recorded:
        position = len(self.recorded) + 1
        own = msgspec.structs.replace(
            event,
            site=project.site,
            project=project.key,
            occurred_at=START + timedelta(minutes=position),
            stream_version=position,
        )
        self.recorded.append(Recorded(position, own, TOPIC_OF[type(event)], b""))
        return self.recorded[-1]

    def level(self, project: ProjectKey) -> int:
        return self.states[project].desired.level

    def open(self, project: ProjectKey) -> list[str]:
        return [alert.code for alert in self.states[project].alerts]


def test_the_first_success_frees_every_project_of_the_site() -> None:
    log = Log(A, B, C, ELSEWHERE)
    for project in (A, B, ELSEWHERE):
        log.then(project, failed("AUTH_EXPIRED"))
    log.then(C, failed("NETWORK_GLITCH"), 4)
    ended = log.then(A, succeeded())
    assert [log.level(project) for project in (A, B, C)] == [0, 0, 0]
    assert [log.open(project) for project in (A, B, C)] == [[], [], []]
    assert {event.project for event in ended} == {"A", "B", "C"}
    assert all(isinstance(event, AlertResolved) and event.end is AlertEnd.RECOVERED for event in ended)
    assert (log.level(ELSEWHERE), log.open(ELSEWHERE)) == (5, ["AUTH_EXPIRED"])


def test_the_ingestor_is_asked_for_the_cron_and_hears_why() -> None:
    log = Log(A, B)
    log.then(A, failed("AUTH_EXPIRED"))
    assert isinstance(command_for(log.states[A]), ApplyBackoff)
    log.then(B, succeeded())
    applied = msgspec.structs.replace(
        log.states[A], recorded=msgspec.structs.replace(log.states[A].recorded, level=5, version=3)
    )
    command = command_for(applied)
    assert isinstance(command, ClearBackoff)
    assert command.reason == "another project of the site was read again, so AUTH_EXPIRED is over"
    assert (command.expected_version, command.run_id) == (3, None)


@pytest.mark.parametrize("code", ["NOT_FOUND_OR_HIDDEN", "FORBIDDEN", "BAD_REQUEST", "TIMEOUT"])
def test_what_concerns_one_project_is_not_ended_by_another(code: str) -> None:
    log = Log(A, B)
    log.then(A, failed(code), 4)
    before = log.states[A]
    assert log.then(B, succeeded()) == []
    assert log.states[A] == before


def test_an_occurrence_may_say_that_it_concerns_the_whole_site() -> None:
    """A CAPTCHA, or the site's list of addresses, behind a code that is mostly about one endpoint."""
    log = Log(A, B)
    log.then(A, msgspec.structs.replace(failed("FORBIDDEN"), scope="site"))
    log.then(B, succeeded())
    assert (log.level(A), log.open(A)) == (0, [])
    log = Log(A, B)
    log.then(A, msgspec.structs.replace(failed("RATE_LIMIT"), scope="endpoint"), 3)
    log.then(B, succeeded())
    assert (log.level(A), log.open(A)) == (1, ["RATE_LIMIT"])


def test_trouble_that_comes_again_while_others_are_well_is_the_projects_own() -> None:
    """Else a project that fails for itself would be asked at its full pace for ever, and raise alerts for ever."""
    log = Log(A, B)
    for _ in range(20):
        log.then(A, failed("UPSTREAM_ERROR"))
        log.then(B, succeeded())
    assert log.level(A) == 5
    raised = [event for event in log.led_to if isinstance(event, AlertRaised)]
    assert [event.project for event in raised] == ["A", "A"]


def test_what_ended_for_the_other_one_ends_here_however_often() -> None:
    log = Log(A, B)
    for _ in range(3):
        log.then(A, failed("AUTH_EXPIRED"))
        log.then(B, failed("AUTH_EXPIRED"))
        assert (log.level(A), log.level(B)) == (5, 5)
        log.then(B, succeeded())
        assert (log.level(A), log.level(B)) == (0, 0)


def test_after_its_own_success_a_project_is_freed_as_at_first() -> None:
    log = Log(A, B)
    for _ in range(3):
        log.then(A, failed("AUTH_EXPIRED"))
        log.then(B, succeeded())
        assert log.level(A) == 0
        log.then(A, succeeded())


def test_a_few_failures_that_have_led_to_nothing_go_on_being_counted() -> None:
    log = Log(A, B)
    log.then(A, failed("NETWORK_GLITCH"), 2)
    log.then(B, succeeded())
    assert log.states[A].streak.failures == 2
    log.then(A, failed("NETWORK_GLITCH"))
    assert (log.level(A), log.open(A)) == (1, ["NETWORK_GLITCH"])


def test_a_sparse_schedule_is_not_slowed_down_and_its_alert_ends_all_the_same() -> None:
    log = Log(B)
    log.then(A, registered(cron="0 5 * * *"))
    log.then(A, failed("AUTH_EXPIRED"))
    assert (log.level(A), log.open(A)) == (0, ["AUTH_EXPIRED"])
    log.then(B, succeeded())
    assert log.open(A) == []


def test_a_project_that_is_not_registered_frees_nobody() -> None:
    log = Log(A, B)
    log.then(A, failed("AUTH_EXPIRED"))
    log.then(B, unregistered())
    assert log.then(B, succeeded()) == []
    assert log.level(A) == 5


CODES = st.sampled_from(["NETWORK_GLITCH", "AUTH_EXPIRED", "UPSTREAM_ERROR", "TIMEOUT", "BAD_REQUEST"])
EVENTS: st.SearchStrategy[Any] = st.one_of(
    CODES.map(failed),
    CODES.map(failed),
    st.just(succeeded()),
    st.just(resumed()),
    st.just(unregistered()),
    st.just(registered()),
)
COURSES = st.lists(st.tuples(st.sampled_from([A, B, C, ELSEWHERE]), EVENTS), max_size=40)


@given(COURSES, st.data())
def test_wherever_a_crash_cuts_the_log_the_outcome_is_the_same(
    course: list[tuple[ProjectKey, Event]], data: st.DataObject
) -> None:
    log = Log(A, B, C, ELSEWHERE)
    for project, event in course:
        log.then(project, event)
    states: States = {}
    events: list[Event] = []
    left = log.recorded
    while left:
        size = data.draw(st.integers(1, len(left)))
        states, more = folded(states, left[:size], Rules())
        stored = {key: msgspec.json.encode(state) for key, state in states.items()}
        states = {key: msgspec.json.decode(part, type=ProjectState) for key, part in stored.items()}
        events, left = events + more, left[size:]
    assert (states, events) == (log.states, log.led_to)


@given(COURSES)
def test_alerts_of_all_projects_are_raised_once_and_end_once(course: list[tuple[ProjectKey, Event]]) -> None:
    log = Log(A, B, C, ELSEWHERE)
    still_open: dict[str, ProjectKey] = {}
    for project, event in course:
        for led_to in log.then(project, event):
            if isinstance(led_to, AlertRaised):
                assert led_to.alert_id not in still_open
                still_open[led_to.alert_id] = led_to.project_key
            elif isinstance(led_to, AlertResolved):
                assert still_open.pop(led_to.alert_id) == led_to.project_key
        known = {alert.alert_id: key for key, state in log.states.items() for alert in state.alerts}
        assert known == still_open
        for key, state in log.states.items():
            assert not state.desired.level or key in still_open.values(), "slowed down, and no alert is open"


def test_an_alert_of_the_site_itself_is_nothing_of_telemetrys() -> None:
    event = alert_raised("a", project="", code="FOREIGN_MESSAGE")
    assert folded({}, [Recorded(1, event, TOPIC_OF[type(event)], b"")], Rules()) == ({}, [])
