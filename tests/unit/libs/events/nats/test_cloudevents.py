"""Subjects and headers of messages on NATS."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from libs.events import TOPICS, Recorded, ScheduleResumed, SiteRegistered, UnreadableEvent
from libs.events.nats.cloudevents import headers_of, recorded_of, subject_end, subject_of
from libs.events.types.topics import entity_of
from libs.events.types.upcasts import UPCASTS

SUBJECT_ENDS = {
    "JiraProjectFetched.v1": "project.jira_project_fetched",
    "JiraIssueFetched.v1": "issue.jira_issue_fetched",
    "JiraCommentFetched.v1": "comment.jira_comment_fetched",
    "WorklogFetched.v1": "worklog.worklog_fetched",
    "SprintFetched.v1": "sprint.sprint_fetched",
    "SprintListed.v1": "listing.sprint_listed",
    "JiraUserFetched.v1": "user.jira_user_fetched",
    "JiraIssueGone.v1": "issue.jira_issue_gone",
    "JiraCommentGone.v1": "comment.jira_comment_gone",
    "WorklogGone.v1": "worklog.worklog_gone",
    "RecordQuarantined.v1": "quarantine.record_quarantined",
    "RecordReleased.v1": "quarantine.record_released",
    "SyncStarted.v1": "sync.sync_started",
    "SyncWaiting.v1": "sync.sync_waiting",
    "SyncPageRecorded.v1": "sync.sync_page_recorded",
    "SyncSucceeded.v1": "sync.sync_succeeded",
    "SyncFailed.v1": "sync.sync_failed",
    "SyncCancelled.v1": "sync.sync_cancelled",
    "SchemaDriftDetected.v1": "sync.schema_drift_detected",
    "CensusCompleted.v1": "census.census_completed",
    "CensusFailed.v1": "census.census_failed",
    "SiteRegistered.v1": "control.site_registered",
    "ProjectRegistered.v1": "control.project_registered",
    "ProjectUnregistered.v1": "control.project_unregistered",
    "TrackedUsersChanged.v1": "control.tracked_users_changed",
    "ScheduleChanged.v1": "control.schedule_changed",
    "SchedulePaused.v1": "control.schedule_paused",
    "ScheduleResumed.v1": "control.schedule_resumed",
    "SyncRequested.v1": "control.sync_requested",
    "CensusRequested.v1": "control.census_requested",
    "BackoffApplied.v1": "control.backoff_applied",
    "BackoffCleared.v1": "control.backoff_cleared",
    "ScheduleStretched.v1": "control.schedule_stretched",
    "StretchEnded.v1": "control.stretch_ended",
    "AlertRaised.v1": "control.alert_raised",
    "AlertRepeated.v1": "control.alert_repeated",
    "AlertResolved.v1": "control.alert_resolved",
    "AlertAcknowledged.v1": "control.alert_acknowledged",
    "AlertsSilenced.v1": "control.alerts_silenced",
    "NotificationRequested.v1": "notice.notification_requested",
    "NotificationSent.v1": "notice.notification_sent",
    "NotificationFailed.v1": "notice.notification_failed",
    "NotificationRedriven.v1": "notice.notification_redriven",
}
"""Published: subscribers filter by these, so a line may be added but never changed."""


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


@pytest.mark.parametrize(("topic", "end"), SUBJECT_ENDS.items())
def test_a_subject_names_site_project_entity_and_event(topic: str, end: str) -> None:
    assert subject_of(resumed()._replace(topic=topic)) == f"jira.acme.KEY.{end}"


def test_the_subject_of_every_published_topic_is_written_down() -> None:
    assert SUBJECT_ENDS.keys() == TOPICS.keys()


def test_every_version_of_a_topic_has_the_same_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UPCASTS, "SchedulePaused.v0", ("SchedulePaused.v1", lambda old: old))
    assert subject_end("SchedulePaused.v0") == subject_end("SchedulePaused.v1")


@pytest.mark.parametrize("topic", ["JiraBoardFetched.v1", "SchedulePaused.v99", "no topic at all"])
def test_a_topic_that_only_a_newer_version_knows_is_of_an_unknown_entity(topic: str) -> None:
    assert entity_of(topic) == "unknown"
    assert subject_end(topic).startswith("unknown.")


def test_an_event_that_cannot_be_read_is_of_an_unknown_entity() -> None:
    assert UnreadableEvent.entity == "unknown"


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
        ({"ce-id": "x"}, "its id is no position"),
        ({"ce-type": "Strange.v1"}, "upgrade this one"),
        ({"ce-dataref": "event-store:42"}, "read it from the log: event-store:42"),
    ],
)
def test_what_is_not_readable_says_why(change: dict[str, str | None], why: str) -> None:
    recorded = resumed()
    headers = {key: value for key, value in {**headers_of(recorded), **change}.items() if value is not None}
    with pytest.raises((ValueError, LookupError), match=why):
        recorded_of(headers, recorded.raw)
