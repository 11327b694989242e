"""Subjects and headers of messages on NATS."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from libs.events import Recorded, ScheduleResumed, SiteRegistered
from libs.events.nats.cloudevents import headers_of, recorded_of, subject_of

ENTITIES = {
    "JiraProjectFetched.v1": "project.jira_project_fetched",
    "JiraIssueFetched.v1": "issue.jira_issue_fetched",
    "JiraIssueGone.v1": "issue.jira_issue_gone",
    "JiraCommentFetched.v1": "comment.jira_comment_fetched",
    "WorklogGone.v1": "worklog.worklog_gone",
    "SprintFetched.v1": "sprint.sprint_fetched",
    "JiraUserFetched.v1": "user.jira_user_fetched",
    "SyncSucceeded.v1": "sync.sync_succeeded",
    "SchemaDriftDetected.v1": "sync.schema_drift_detected",
    "SyncRequested.v1": "control.sync_requested",
    "SchedulePaused.v1": "control.schedule_paused",
    "SiteRegistered.v1": "control.site_registered",
    "TrackedUsersChanged.v1": "control.tracked_users_changed",
    "AlertRaised.v1": "control.alert_raised",
    "BackoffApplied.v1": "control.backoff_applied",
    "NotificationSent.v1": "notice.notification_sent",
}


def resumed(site: str = "acme", project: str = "KEY", trace: str | None = None) -> Recorded:
    event = ScheduleResumed(
        stream_id=UUID(int=7),
        stream_version=3,
        site=site,
        project=project,
        occurred_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        cause="an admin",
        trace=trace,
        reason="",
    )
    return Recorded(42, event, "ScheduleResumed.v1", msgspec.json.encode(event))


@pytest.mark.parametrize(("topic", "tail"), ENTITIES.items())
def test_a_subject_names_site_project_entity_and_event(topic: str, tail: str) -> None:
    assert subject_of(resumed()._replace(topic=topic)) == f"jira.acme.KEY.{tail}"


def test_what_nats_would_read_as_a_wildcard_or_a_token_is_replaced() -> None:
    assert subject_of(resumed(site="a.b *>", project="Ä 1")).split(".")[1:3] == ["a-b---", "--1"]


def test_an_event_of_the_site_has_a_place_for_its_project() -> None:
    event = SiteRegistered(
        stream_id=UUID(int=7),
        site="acme",
        project="",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        cause="start",
        base_url="https://acme.atlassian.net",
    )
    assert subject_of(Recorded(1, event, "SiteRegistered.v1", b"")) == "jira.acme._.control.site_registered"


def test_header_values_are_encoded_as_the_binding_says() -> None:
    headers = headers_of(resumed(site='a "50 %" ü', trace="00-abc-def-01"))
    assert headers["ce-source"] == "/jira/a%20%2250%20%25%22%20%C3%BC"
    assert headers["ce-traceparent"] == "00-abc-def-01"
    assert "ce-traceparent" not in headers_of(resumed())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ce-id": None}, "header ce-id is missing"),
        ({"ce-type": None}, "header ce-type is missing"),
        ({"ce-id": "x"}, "invalid literal"),
        ({"ce-type": "Strange.v1"}, "upgrade this one"),
        ({"ce-dataref": "event-store:42"}, "read it from the log: event-store:42"),
    ],
)
def test_what_is_not_readable_says_why(change: dict[str, str | None], why: str) -> None:
    recorded = resumed()
    headers = {key: value for key, value in {**headers_of(recorded), **change}.items() if value is not None}
    with pytest.raises((ValueError, LookupError), match=why):
        recorded_of(headers, recorded.raw)
