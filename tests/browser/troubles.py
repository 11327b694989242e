"""What goes wrong, as telemetry and notifier report it: events of the log, without waiting for real failures.

Everything behind the log is real: the projector folds these events, and the ingestor decides on commands about them.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from temporalio.client import Client

from libs.events import (
    TOPIC_OF,
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    Append,
    Backoff,
    CensusCompleted,
    CensusFailed,
    Change,
    EntityProof,
    Event,
    EventStore,
    Evidence,
    FailureKind,
    NotificationFailed,
    NotificationReason,
    NotificationRequested,
    NotificationSent,
    RecordQuarantined,
    RecordReleased,
    SchemaDriftDetected,
    SyncFailed,
    SyncMode,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
    backoff_after,
    command_key,
    stream_id,
)
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from libs.temporal.commands import Sender, carry_out
from libs.temporal.messages import ApplyBackoff, ClearBackoff

MESSAGES: Final = {
    ErrorCode.SUSPENDED_PAYMENT: "Jira says that the site is suspended until a payment is made.",
    ErrorCode.AUTH_EXPIRED: "Jira does not accept the API token.",
    ErrorCode.RATE_LIMIT: "Jira asks for fewer requests and a wait of 60 s.",
    ErrorCode.SLOW_SUCCESS: "The last 5 runs took three times as long as usual: 42 s for a thousand rows, not 14 s.",
}
E = TypeVar("E", bound=Event)

RECIPIENTS: Final = ("ops@acme.example", "billing@acme.example")


class Troubles:
    """Of the projects of one site."""

    def __init__(self, site: str, log: EventStore, temporal: Client) -> None:
        self._site, self._log, self._temporal = site, log, temporal

    def failures(self, project: str, code: ErrorCode, count: int, *, every: timedelta) -> None:
        """Runs in a row that failed, the last of them just now."""
        for left in reversed(range(count)):
            run_id, ended = str(uuid.uuid4()), _ago(every * left)
            failed = SyncFailed(
                **self._envelope("sync", project, ended, cause=run_id),
                run_id=run_id,
                mode=SyncMode.INCREMENTAL,
                code=code,
                message=MESSAGES[code],
                advice=RULES[code].advice,
                evidence=Evidence(status=402, endpoint="GET /rest/api/3/myself"),
                attempts=1,
                pages_recorded=0,
                seconds=2.0,
                severity=RULES[code].severity,
                category=RULES[code].category,
                docs=RULES[code].docs,
            )
            self._append(self._started(project, run_id, ended - timedelta(seconds=2)), failed)

    def last_success(self, project: str, *, ago: timedelta) -> None:
        """The last run that succeeded was that long ago: as if it had, once more."""
        run_id, ended = str(uuid.uuid4()), _ago(ago)
        succeeded = self._succeeded(project, run_id, ended)
        self._append(self._started(project, run_id, ended - timedelta(seconds=succeeded.seconds)), succeeded)

    def begin(self, project: str) -> str:
        """A run that goes on until `succeed` ends it: its id."""
        run_id = str(uuid.uuid4())
        self._append(self._started(project, run_id, _ago()))
        return run_id

    def wait(self, project: str, run_id: str, *, length: timedelta) -> None:
        """A run waits for Jira."""
        waiting = SyncWaiting(
            **self._envelope("sync", project, cause=run_id),
            run_id=run_id,
            step="page",
            code=ErrorCode.RATE_LIMIT,
            message=MESSAGES[ErrorCode.RATE_LIMIT],
            until=_ago(-length),
        )
        self._append(waiting)

    def set_aside(self, project: str, run_id: str) -> None:
        """A page of a run has a comment that cannot be read, and comments that cannot be had."""
        comment = self._quarantined(project, run_id, "issue/10001/comment 7", f"Issue {project}-1, comment 7")
        comment = msgspec.structs.replace(
            comment, field="$.created", why="a number where a time is documented", raw='{"id":"7","created":1767323045}'
        )
        comments = self._quarantined(project, run_id, "issue/10002/comments", f"Comments of issue {project}-2")
        page = SyncPageRecorded(
            **self._envelope("sync", project, cause=run_id),
            run_id=run_id,
            page=0,
            pages_total=1,
            issues=2,
            comments=0,
            worklogs=0,
            sprints=0,
            users=0,
            appended=0,
        )
        self._append(comment, msgspec.structs.replace(comments, asked_again=True), page)

    def succeed(
        self, project: str, run_id: str, *, released: Sequence[str] = (), quarantine: Sequence[str] = ()
    ) -> None:
        """A run ends well: some of what was set aside could be read, some is named."""
        events = [
            RecordReleased(**self._of_record(project, run_id, record), run_id=run_id, record=record)
            for record in released
        ]
        told = {"quarantined": len(quarantine), "quarantine": tuple(quarantine)}
        self._append(*events, msgspec.structs.replace(self._succeeded(project, run_id, _ago()), **told))

    def census(self, project: str, *entities: EntityProof, held_back: int = 0, brake: str = "") -> None:
        """A census ended now, which found this."""
        told: dict[str, Any] = {"run_id": str(uuid.uuid4()), "counted": None, "requests": 3, "seconds": 1.2}
        envelope = self._envelope("census", project, cause="census")
        self._append(CensusCompleted(**envelope, **told, entities=entities, held_back=held_back, brake=brake))

    def census_fails(self, project: str, message: str) -> None:
        """A census failed now."""
        envelope = self._envelope("census", project, cause="census")
        advice = "Give the account the permission."
        self._append(CensusFailed(**envelope, run_id="census", code="FORBIDDEN", message=message, advice=advice))

    def alert(self, project: str, code: ErrorCode, *, count: int = 1, since: timedelta = timedelta()) -> str:
        """An alert that was raised some time ago and was last seen just now: its id."""
        alert_id, rule = str(uuid.uuid4()), RULES[code]
        raised = AlertRaised(
            **self._envelope("control", project, _ago(since)),
            alert_id=alert_id,
            fingerprint=f"{self._site}:{project}:{code}",
            code=code,
            category=rule.category,
            severity=rule.severity,
            message=MESSAGES[code],
            advice=rule.advice,
            docs=rule.docs,
            first_seen=_ago(since),
            last_seen=_ago(since),
            count=1,
        )
        self._append(raised)
        if count > 1:
            self.repeat(alert_id, project, code, count)
        return alert_id

    def repeat(self, alert_id: str, project: str, code: ErrorCode, count: int) -> None:
        """An alert is seen once more, by now in so many runs."""
        repeated = AlertRepeated(
            **self._envelope("control", project),
            alert_id=alert_id,
            fingerprint=f"{self._site}:{project}:{code}",
            code=code,
            message=MESSAGES[code],
            last_seen=_ago(),
            count=count,
        )
        self._append(repeated)

    def recover(self, alert_id: str, project: str, code: ErrorCode, count: int = 1) -> None:
        """What an alert was about is over."""
        resolved = AlertResolved(
            **self._envelope("control", project),
            alert_id=alert_id,
            fingerprint=f"{self._site}:{project}:{code}",
            code=code,
            end=AlertEnd.RECOVERED,
            first_seen=_ago(timedelta(hours=1)),
            count=count,
        )
        self._append(resolved)

    async def slow_down(self, project: str, code: ErrorCode, *, level: int, failures: int, seconds: int) -> None:
        """As telemetry asks for it: the schedule in Temporal is slowed down as well."""
        command = ApplyBackoff(
            **self._command(project),
            level=level,
            code=code,
            failures=failures,
            seconds=seconds,
            anchor=_ago(),
            run_id=str(uuid.uuid4()),
            expected_version=self._backoff(project).version,
        )
        await carry_out(Sender(self._temporal, command_key(self._log)), command)

    async def speed_up(self, project: str) -> None:
        """The schedule gets its cron back."""
        command = ClearBackoff(**self._command(project), run_id=None, expected_version=self._backoff(project).version)
        await carry_out(Sender(self._temporal, command_key(self._log)), command)

    def sent(self, alerts: Sequence[str], subject: str, *, projects: Sequence[str], ago: timedelta) -> None:
        """A notification that its provider took."""
        notification = self._notification("email", subject, RECIPIENTS, alerts, projects, ago)
        self._append(
            NotificationSent(
                **notification, provider_message_id=f"<{notification['notification_id']}@jdi.acme.example>"
            )
        )

    def not_delivered(self, alerts: Sequence[str], subject: str, *, projects: Sequence[str], ago: timedelta) -> str:
        """A notification that became a dead letter: its id."""
        notification = self._notification("slack", subject, ("Slack webhook",), alerts, projects, ago)
        failed = NotificationFailed(
            **notification,
            kind=FailureKind.CONFIG,
            code="SLACK_REFUSED",
            provider_code="no_service",
            message="Slack knows no such webhook.",
            advice="Create an incoming webhook in Slack and put its address into SLACK_WEBHOOK_URL.",
        )
        self._append(failed)
        return str(notification["notification_id"])

    def retrying(self, alerts: Sequence[str], subject: str, *, projects: Sequence[str], wait: timedelta) -> None:
        """A notification whose next attempt is still to come."""
        notification = self._notification("whatsapp", subject, ("+49 170 1234567",), alerts, projects, timedelta())
        failed = NotificationFailed(
            **notification,
            kind=FailureKind.RATE_LIMITED,
            code="WHATSAPP_RATE_LIMITED",
            provider_code="131056",
            message="WhatsApp takes no more messages for this number at the moment.",
            advice="Nothing to do: it is tried again.",
            next_attempt_at=_ago(-wait),
        )
        self._append(failed)

    def drift(self, project: str, *, ago: timedelta) -> None:
        """Jira's field for story points is not what it was."""
        drift = SchemaDriftDetected(
            **self._envelope("sync", project, _ago(ago)),
            run_id=str(uuid.uuid4()),
            change="TYPE_CHANGED",
            field_id="customfield_10016",
            field_name="Story Points",
            before="number",
            after="string",
        )
        self._append(drift)

    def asked_for(self, kind: type[E]) -> list[E]:
        """What people asked of the notifier."""
        found = self._log.read(0, topics=[TOPIC_OF[kind]])
        return [recorded.event for recorded in found if isinstance(recorded.event, kind)]

    def deliver(self, notification_id: str) -> None:
        """A dead letter, tried again, is taken."""
        events = self._log.stream(stream_id(self._site, "notice", notification_id))
        dead = next(event for event in events if isinstance(event, NotificationFailed))
        sent = NotificationSent(
            **self._envelope("notice", notification_id) | {"project": dead.project},
            notification_id=notification_id,
            channel=dead.channel,
            reason=dead.reason,
            subject=dead.subject,
            recipients=dead.recipients,
            alert_ids=dead.alert_ids,
            projects=dead.projects,
            attempt=dead.attempt + 1,
        )
        self._append(sent)

    def refuse(self, test: NotificationRequested) -> None:
        """The provider does not take a test."""
        failed = NotificationFailed(
            **self._envelope("notice", test.notification_id) | {"project": ""},
            notification_id=test.notification_id,
            channel=test.channel,
            reason=NotificationReason.TEST,
            subject="A test of the Jira Data Integrator",
            recipients=test.to,
            kind=FailureKind.REJECTED_RECIPIENT,
            code="SMTP_REFUSED",
            provider_code="550",
            message="The mail server knows no such recipient.",
            advice="Check the address.",
        )
        self._append(failed)

    def _notification(
        self,
        channel: str,
        subject: str,
        recipients: tuple[str, ...],
        alerts: Sequence[str],
        projects: Sequence[str],
        ago: timedelta,
    ) -> dict[str, Any]:
        notification_id = str(uuid.uuid4())
        project = projects[0] if len(projects) == 1 else ""
        return {
            **self._envelope("notice", notification_id, _ago(ago)),
            "project": project,
            "notification_id": notification_id,
            "channel": channel,
            "reason": NotificationReason.FIRST,
            "subject": subject,
            "recipients": recipients,
            "alert_ids": tuple(alerts),
            "projects": tuple(projects),
        }

    def _quarantined(self, project: str, run_id: str, record: str, name: str) -> RecordQuarantined:
        return RecordQuarantined(
            **self._of_record(project, run_id, record),
            run_id=run_id,
            record=record,
            kind="comment",
            name=name,
            why="Jira answered with status 500",
            asked_again=False,
        )

    def _of_record(self, project: str, run_id: str, record: str) -> dict[str, Any]:
        return {**self._envelope("quarantine", f"{project}/{record}", cause=run_id), "project": project}

    def _succeeded(self, project: str, run_id: str, at: datetime) -> SyncSucceeded:
        """As the last run that succeeded, once more."""
        events = self._log.stream(stream_id(self._site, "sync", project))
        last = [each for each in events if isinstance(each, SyncSucceeded)][-1]
        marks = [msgspec.structs.replace(mark, watermark=at - timedelta(minutes=5)) for mark in last.entities]
        return msgspec.structs.replace(
            last, occurred_at=at, cause=run_id, run_id=run_id, mode=SyncMode.INCREMENTAL, entities=tuple(marks)
        )

    def _started(self, project: str, run_id: str, at: datetime) -> SyncStarted:
        return SyncStarted(
            **self._envelope("sync", project, at, cause=run_id),
            run_id=run_id,
            workflow_id=f"{self._site}:{project}",
            mode=SyncMode.INCREMENTAL,
            reason="schedule",
            since=None,
        )

    def _backoff(self, project: str) -> Backoff:
        events = self._log.stream(stream_id(self._site, "control", project))
        return functools.reduce(backoff_after, events, Backoff())

    def _envelope(
        self, kind: str, name: str, at: datetime | None = None, *, cause: str = "telemetry"
    ) -> dict[str, Any]:
        return {
            "stream_id": stream_id(self._site, kind, name),
            "site": self._site,
            "project": name,
            "occurred_at": at or _ago(),
            "cause": cause,
        }

    def _command(self, project: str) -> dict[str, Any]:
        return {"site": self._site, "project": project, "command_id": uuid.uuid4().hex, "actor": "telemetry"}

    def _append(self, *events: Event) -> None:
        self._log.append(Append(changes=[Change(event=event) for event in events]))


def _ago(length: timedelta = timedelta()) -> datetime:
    return datetime.now(UTC) - length
