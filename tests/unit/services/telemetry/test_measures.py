"""What telemetry shows of projects."""

from __future__ import annotations

import msgspec
from prometheus_client import REGISTRY

from services.telemetry.measures import OF_PROJECTS, show
from tests.unit.services.telemetry.course import HOUR, Course, paused, rescheduled, resumed, unregistered


def value(name: str, project: str = "KEY") -> float | None:
    return REGISTRY.get_sample_value(name, {"site": "acme", "project": project})


def test_freshness_backoff_and_alerts_of_a_project() -> None:
    course = Course()
    since = course.now.timestamp()
    show([course.state])
    assert value("jira_project_registered_timestamp_seconds") == since
    assert value("jira_sync_last_success_timestamp_seconds") == 0
    assert value("jira_sync_interval_seconds") == 900
    course.succeed()
    success = course.now.timestamp()
    course.fail(times=3)
    course.carried_out()
    course.then(paused())
    show([course.state])
    assert value("jira_sync_last_success_timestamp_seconds") == success
    assert value("jira_sync_backoff_level") == 1
    assert value("jira_sync_backoff_seconds") == HOUR / 2
    assert value("jira_alerts_open") == 1
    assert value("jira_sync_paused") == 1
    course.then(resumed(), rescheduled(cron="0 9-17 * * 1-5"))
    show([course.state])
    assert value("jira_sync_paused") == 0
    assert value("jira_sync_interval_seconds") == 64 * HOUR


def test_a_new_registration_begins_anew() -> None:
    course = Course()
    course.succeed()
    course.then(paused(), unregistered())
    assert (course.state.succeeded, course.state.paused) == (None, False)


def test_projects_that_are_gone_are_shown_no_more() -> None:
    course = Course()
    other = msgspec.structs.replace(course.state, project="OTHER")
    show([course.state, other])
    assert value("jira_sync_paused", "OTHER") == 0
    show([course.state])
    assert value("jira_sync_paused", "OTHER") is None
    assert value("jira_sync_paused") == 0
    show([])
    assert [sample for gauge in OF_PROJECTS for family in gauge.collect() for sample in family.samples] == []
