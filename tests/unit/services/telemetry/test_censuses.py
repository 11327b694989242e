"""What censuses, and the lack of them, make of a project's alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from libs.events import (
    NEVER_SYNCED,
    OVERTAKEN,
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    CensusCompleted,
    CensusFailed,
    Difference,
    DifferenceCause,
    EntityProof,
    Event,
)
from services.telemetry.alerts import About, of_census
from services.telemetry.backoff import Rules
from services.telemetry.measures import show
from services.telemetry.state import ProjectState
from tests.unit.services.telemetry.course import HOUR, START, Course, envelope, paused, resumed

EVERY_MINUTES = 10
"""Between two censuses; the events of a course are a minute apart."""


def completed(*unexplained: str, entity: str = "issue", brake: str = "", **parts: Any) -> CensusCompleted:
    """A census that met these ids without an explanation."""
    cause = DifferenceCause.UNEXPLAINED
    differences = (Difference(cause=cause, number=len(unexplained), ids=unexplained),) if unexplained else ()
    proof = EntityProof(entity=entity, in_jira=9, here=9, differences=differences)
    found = {"run_id": "census", "entities": (proof,), "counted": 9, "requests": 3, "seconds": 1.0, "brake": brake}
    return CensusCompleted(**envelope("census", START), **{**found, **parts})


def braked(*unexplained: str, held_back: int = 40) -> CensusCompleted:
    return completed(*unexplained, brake="So much.", held_back=held_back)


def failed(code: str = "FORBIDDEN") -> CensusFailed:
    return CensusFailed(**envelope("census", START), run_id="census", code=code, message="Refused.", advice="Ask.")


def course() -> Course:
    return Course(rules=Rules(census=EVERY_MINUTES * 60))


def told(events: list[Event]) -> list[tuple[type[Event], str]]:
    return [(type(event), event.code) for event in events if isinstance(event, AlertRaised | AlertResolved)]


def test_a_census_that_is_held_back_asks_for_a_person_until_one_is_not() -> None:
    project = course()
    (raised,) = project.then(completed(brake="40 of 100 issues seem gone.", held_back=40))
    assert isinstance(raised, AlertRaised)
    assert (raised.code, raised.severity, raised.category) == ("MASS_REMOVAL", "warning", "access")
    assert raised.message == "A census of KEY has removed nothing: 40 of 100 issues seem gone."
    assert "`jdi prove KEY --accept`" in raised.advice
    (again,) = project.then(completed(brake="41 of 100 issues seem gone.", held_back=41))
    assert isinstance(again, AlertRepeated)
    assert (again.alert_id, again.count) == (raised.alert_id, 2)
    (over,) = project.then(completed())
    assert isinstance(over, AlertResolved)
    assert (over.code, over.end) == ("MASS_REMOVAL", AlertEnd.RECOVERED)


@pytest.mark.parametrize(("about", "command"), [(About.REMOVAL, "--accept"), (About.PROOF, "--wait")])
def test_the_advice_can_be_copied_as_it_stands(about: About, command: str) -> None:
    event = msgspec.structs.replace(braked(), project="ALPHA")
    _, (raised,) = of_census((), event, 1, about, "So much.")
    assert isinstance(raised, AlertRaised)
    assert f"`jdi prove ALPHA {command}`" in raised.advice
    assert "KEY" not in raised.advice


def test_three_failures_in_a_row_are_told_and_a_good_one_ends_that() -> None:
    project = course()
    assert project.then(failed(), failed(), completed(), failed(), failed()) == []
    (raised,) = project.then(failed("TIMEOUT"))
    assert isinstance(raised, AlertRaised)
    assert (raised.code, raised.count, raised.run_id) == ("UNPROVED", 3, None)
    assert raised.message == ("3 censuses of KEY in a row have proved nothing, the last with TIMEOUT: Refused. Ask.")
    (again,) = project.then(failed())
    assert isinstance(again, AlertRepeated)
    assert told(project.then(braked())) == [(AlertRaised, "MASS_REMOVAL")], "it proves nothing"
    assert told(project.then(completed())) == [(AlertResolved, "MASS_REMOVAL"), (AlertResolved, "UNPROVED")]


@pytest.mark.parametrize("code", [NEVER_SYNCED, OVERTAKEN])
def test_one_that_had_nothing_to_compare_or_was_overtaken_counts_for_nothing(code: str) -> None:
    project = course()
    assert project.then(failed(), failed(), *(failed(code) for _ in range(5))) == []
    assert told(project.then(failed())) == [(AlertRaised, "UNPROVED")]


def test_one_that_has_nothing_for_a_person_to_accept_is_as_one_that_failed() -> None:
    project = course()
    assert project.then(braked(held_back=0), failed()) == []
    assert told(project.then(braked(held_back=0))) == [(AlertRaised, "UNPROVED")]


def test_without_a_proof_for_three_intervals_people_are_told() -> None:
    project = course()
    project.then(completed())
    proved = project.now
    led_to = project.succeed(times=3 * EVERY_MINUTES)
    assert told(led_to) == []
    (raised,) = project.succeed(times=2)
    assert isinstance(raised, AlertRaised)
    assert raised.occurred_at - proved > timedelta(minutes=3 * EVERY_MINUTES)
    assert raised.message.startswith(f"KEY was last on {proved:%Y-%m-%d at %H:%M} UTC proved to be complete")
    assert project.succeed(times=30) == []
    assert told(project.then(completed())) == [(AlertResolved, "UNPROVED")]


def test_a_project_without_any_census_is_told_of_as_well() -> None:
    project = course()
    led_to = project.succeed(times=3 * EVERY_MINUTES + 2)
    assert told(led_to) == [(AlertRaised, "UNPROVED")]
    assert "has never been proved" in led_to[0].message  # type: ignore[attr-defined]


def test_after_a_standstill_the_census_has_its_time() -> None:
    project = course()
    project.then(completed())
    project.position += 10_000
    assert project.succeed(times=EVERY_MINUTES - 1) == []
    assert told(project.then(completed())) == []
    project.then(paused())
    project.position += 10_000
    project.then(resumed())
    assert project.succeed(times=2 * EVERY_MINUTES) == []


def test_where_censuses_are_switched_off_none_is_missed() -> None:
    project = Course(rules=Rules(census=0))
    project.position += 100_000
    assert project.succeed(times=3) == []


def test_a_state_of_a_former_version_gives_the_first_census_its_time() -> None:
    project = course()
    project.state = msgspec.structs.replace(project.state, proof=type(project.state.proof)())
    former = msgspec.json.decode(msgspec.json.encode(project.state), type=ProjectState)
    assert former == project.state
    project.position += 10_000
    assert project.succeed(times=3 * EVERY_MINUTES) == []
    assert told(project.succeed(times=3)) == [(AlertRaised, "UNPROVED")]


def test_what_nobody_explains_over_two_censuses_is_told() -> None:
    project = course()
    assert project.then(completed("1", "2")) == []
    (raised,) = project.then(completed("2", "3"))
    assert isinstance(raised, AlertRaised)
    assert (raised.code, raised.count) == ("UNEXPLAINED_DIFFERENCE", 2)
    assert raised.message.endswith("over two censuses, and nobody knows why: 2 issues (2, 3).")
    assert told(project.then(completed())) == [(AlertResolved, "UNEXPLAINED_DIFFERENCE")]


def test_what_the_next_census_has_explained_is_not_told() -> None:
    project = course()
    assert (
        project.then(completed("1"), completed(), completed("1"), completed("2"), completed("2", entity="comment"))
        == []
    )


def test_a_census_that_was_held_back_says_nothing_of_differences() -> None:
    project = course()
    project.then(completed("1"))
    project.then(braked("1"))
    assert told(project.then(completed("1"))) == [
        (AlertResolved, "MASS_REMOVAL"),
        (AlertRaised, "UNEXPLAINED_DIFFERENCE"),
    ]


@pytest.mark.parametrize("times", [1, 5])
def test_syncs_that_go_well_end_none_of_them(times: int) -> None:
    project = course()
    project.then(braked())
    assert project.succeed(times=times) == []
    assert [alert.code for alert in project.state.alerts] == ["MASS_REMOVAL"]


def test_the_last_proof_and_what_differs_are_shown() -> None:
    project = Course(rules=Rules(census=HOUR))
    name = "jira_census_last_proof_timestamp_seconds"
    show([project.state])
    assert REGISTRY.get_sample_value(name, {"site": "acme", "project": "KEY"}) == 0
    project.then(completed("1", "2"))
    show([project.state])
    assert REGISTRY.get_sample_value(name, {"site": "acme", "project": "KEY"}) == project.now.timestamp()
    labels = {"site": "acme", "project": "KEY", "entity": "issue", "cause": "UNEXPLAINED"}
    assert REGISTRY.get_sample_value("jira_completeness_differences", labels) == 2
    project.then(completed())
    show([project.state])
    assert REGISTRY.get_sample_value("jira_completeness_differences", labels) is None
    show([])
