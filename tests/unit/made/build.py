"""Events as the ingestor records them, with the parts a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw

from libs.events import (
    TOPIC_OF,
    AbsenceReason,
    AlertAcknowledged,
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    CensusCompleted,
    CensusFailed,
    CensusRequested,
    Difference,
    DifferenceCause,
    EntityProof,
    EntityWatermark,
    Event,
    Evidence,
    FailureKind,
    JiraCommentFetched,
    JiraCommentGone,
    JiraIssueFetched,
    JiraIssueGone,
    JiraProjectFetched,
    JiraUserFetched,
    NotificationFailed,
    NotificationReason,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    RecordQuarantined,
    RecordReleased,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    ScheduleStretched,
    SchemaDriftDetected,
    SprintFetched,
    SprintListed,
    StretchEnded,
    SyncCancelled,
    SyncFailed,
    SyncMode,
    SyncPageRecorded,
    SyncRequested,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
    TrackedUsersChanged,
    WorklogFetched,
    WorklogGone,
    stream_id,
)

SITE = "acme"
PROJECT = "DEMO"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
WRITTEN = "2026-01-02T04:04:05.678+0100"
SPRINT_FIELD = "customfield_10020"


def raw(value: Any) -> Raw:
    return Raw(msgspec.json.encode(value))


def shared(kind: str, entity_id: str, cause: str = "run-1", at: datetime = MOMENT) -> dict[str, Any]:
    return {
        "stream_id": stream_id(SITE, kind, entity_id),
        "site": SITE,
        "project": PROJECT,
        "occurred_at": at,
        "cause": cause,
    }


def text(words: str) -> dict[str, Any]:
    """A document of one paragraph."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def sprint_entry(sprint_id: int, state: str) -> dict[str, Any]:
    return {"id": sprint_id, "name": f"Sprint {sprint_id}", "state": state, "boardId": 3}


def issue(
    issue_id: str = "1", *, sprints: Sequence[Any] | None = None, key: str = "", **fields: Any
) -> JiraIssueFetched:
    """An issue as the project in its key shows it."""
    key = key or f"{PROJECT}-{issue_id}"
    body: dict[str, Any] = {
        "summary": f"Issue {issue_id}",
        "description": text("What is to be done"),
        "status": {"name": "To Do", "statusCategory": {"key": "new"}},
        "priority": {"name": "High"},
        "issuetype": {"name": "Story"},
        "assignee": {"accountId": "u1"},
        "reporter": {"accountId": "u2"},
        "created": WRITTEN,
        "updated": WRITTEN,
        SPRINT_FIELD: None if sprints is None else list(sprints),
        **fields,
    }
    return JiraIssueFetched(
        **shared("issue", issue_id) | {"project": key.partition("-")[0]},
        issue_id=issue_id,
        key=key,
        updated=MOMENT,
        sprint_field=SPRINT_FIELD,
        payload=raw({"id": issue_id, "key": key, "fields": body}),
    )


def issue_gone(issue_id: str = "1", reason: AbsenceReason = AbsenceReason.HIDDEN, **more: Any) -> JiraIssueGone:
    return JiraIssueGone(**shared("issue", issue_id), issue_id=issue_id, reason=reason, **more)


def comment(comment_id: str = "c1", issue_id: str = "1", words: str = "Well done", **parts: Any) -> JiraCommentFetched:
    body = {
        "id": comment_id,
        "author": {"accountId": "u1"},
        "body": text(words),
        "created": WRITTEN,
        "updated": WRITTEN,
        **parts,
    }
    return JiraCommentFetched(
        **shared("comment", comment_id), issue_id=issue_id, comment_id=comment_id, updated=MOMENT, payload=raw(body)
    )


def comment_gone(comment_id: str = "c1", issue_id: str = "1") -> JiraCommentGone:
    return JiraCommentGone(
        **shared("comment", comment_id), issue_id=issue_id, comment_id=comment_id, reason=AbsenceReason.DELETED
    )


def worklog(worklog_id: str = "w1", issue_id: str = "1", seconds: Any = 3600, **parts: Any) -> WorklogFetched:
    body = {
        "id": worklog_id,
        "author": {"accountId": "u1"},
        "comment": text("Wrote tests"),
        "timeSpentSeconds": seconds,
        "started": WRITTEN,
        "created": WRITTEN,
        "updated": WRITTEN,
        **parts,
    }
    return WorklogFetched(
        **shared("worklog", worklog_id), issue_id=issue_id, worklog_id=worklog_id, updated=MOMENT, payload=raw(body)
    )


def worklog_gone(worklog_id: str = "w1", issue_id: str = "1") -> WorklogGone:
    return WorklogGone(
        **shared("worklog", worklog_id), issue_id=issue_id, worklog_id=worklog_id, reason=AbsenceReason.DELETED
    )


def sprint(sprint_id: int, state: str, **parts: Any) -> SprintFetched:
    body = {**sprint_entry(sprint_id, state), "startDate": WRITTEN, "goal": "Ship it", **parts}
    return SprintFetched(**shared("sprint", str(sprint_id)), sprint_id=str(sprint_id), payload=raw(body))


def sprint_listed(sprint_id: int, project: str = PROJECT) -> SprintListed:
    listing = f"{project}/{sprint_id}"
    return SprintListed(**shared("listing", listing) | {"project": project}, sprint_id=str(sprint_id))


def user(account_id: str, name: str = "Ada", **parts: Any) -> JiraUserFetched:
    body = {
        "accountId": account_id,
        "displayName": name,
        "active": True,
        "accountType": "atlassian",
        "avatarUrls": {"16x16": "https://a/16", "48x48": "https://a/48"},
        **parts,
    }
    return JiraUserFetched(**shared("user", account_id), account_id=account_id, payload=raw(body))


def project(name: str = "Demo project") -> JiraProjectFetched:
    return JiraProjectFetched(
        **shared("project", "10000"), project_id="10000", key=PROJECT, name=name, payload=raw({"id": "10000"})
    )


def registered(cron: str = "*/15 * * * *") -> ProjectRegistered:
    return ProjectRegistered(
        **shared("control", PROJECT, cause="ada"),
        key=PROJECT,
        cron=cron,
        timezone="UTC",
        schedule_id=f"jira-sync:{SITE}:{PROJECT}",
        workflow_id=f"sync:{SITE}:{PROJECT}",
    )


def tracked(*accounts: str) -> TrackedUsersChanged:
    return TrackedUsersChanged(
        **shared("control", PROJECT, cause="ada"), account_ids=accounts, added=accounts, removed=()
    )


def schedule_changed(cron: str) -> ScheduleChanged:
    return ScheduleChanged(
        **shared("control", PROJECT, cause="ada"), cron=cron, timezone="Europe/Berlin", revision=2, reason="night only"
    )


def paused() -> SchedulePaused:
    return SchedulePaused(**shared("control", PROJECT, cause="ada"), reason="holiday")


def unregistered() -> ProjectUnregistered:
    return ProjectUnregistered(**shared("control", PROJECT, cause="ada"), reason="moved")


def resumed() -> ScheduleResumed:
    return ScheduleResumed(**shared("control", PROJECT, cause="ada"), reason="back")


def requested() -> SyncRequested:
    return SyncRequested(
        **shared("control", PROJECT, cause="ada"), request_id="r1", full=True, account_ids=(), reason="demo"
    )


def started(run_id: str = "run-1", at: datetime = MOMENT) -> SyncStarted:
    return SyncStarted(
        **shared("sync", PROJECT, at=at),
        run_id=run_id,
        workflow_id=f"sync:{SITE}:{PROJECT}",
        mode=SyncMode.INCREMENTAL,
        reason="schedule",
        since=MOMENT,
    )


def page(
    run_id: str = "run-1", number: int = 1, total: int | None = 2, warnings: Sequence[str] = ()
) -> SyncPageRecorded:
    return SyncPageRecorded(
        **shared("sync", PROJECT),
        run_id=run_id,
        page=number,
        pages_total=total,
        issues=100,
        comments=1,
        worklogs=0,
        sprints=2,
        users=3,
        appended=50,
        warnings=tuple(warnings),
    )


def succeeded(run_id: str = "run-1", at: datetime = MOMENT, marks: Mapping[str, int] | None = None) -> SyncSucceeded:
    seen = marks or {"issue": 100, "comment": 1}
    return SyncSucceeded(
        **shared("sync", PROJECT, at=at),
        run_id=run_id,
        mode=SyncMode.INCREMENTAL,
        issues=100,
        comments=1,
        worklogs=0,
        sprints=2,
        users=3,
        appended=50,
        requests=7,
        seconds=1.25,
        entities=tuple(EntityWatermark(entity=name, watermark=MOMENT, seen=count) for name, count in seen.items()),
    )


def met_nothing(run_id: str = "run-1", at: datetime = MOMENT) -> SyncSucceeded:
    """The end of a run that is all that it tells."""
    return msgspec.structs.replace(succeeded(run_id, at), began_at=at - timedelta(seconds=1))


def failed(run_id: str = "run-1", at: datetime = MOMENT) -> SyncFailed:
    return SyncFailed(
        **shared("sync", PROJECT, at=at),
        run_id=run_id,
        mode=SyncMode.INCREMENTAL,
        code="AUTH_EXPIRED",
        message="Jira refused the token.",
        advice="Make a new API token and set JIRA_API_TOKEN.",
        evidence=Evidence(status=401, endpoint="/rest/api/3/myself"),
        attempts=3,
        pages_recorded=1,
        seconds=0.5,
        severity="critical",
        category="access",
        docs="https://id.atlassian.com/manage-profile/security/api-tokens",
    )


def cancelled(run_id: str = "run-1", at: datetime = MOMENT) -> SyncCancelled:
    return SyncCancelled(**shared("sync", PROJECT, at=at), run_id=run_id, reason="stopped by ada", pages_recorded=1)


def quarantined(record: str = "issue/10001/comment 7", why: str = "`id` is missing or no text") -> RecordQuarantined:
    return RecordQuarantined(
        **shared("quarantine", f"{PROJECT}/{record}"),
        run_id="run-1",
        record=record,
        kind="comment",
        name="Issue MOVA-1, comment 7",
        issue_id="10001",
        issue_key="MOVA-1",
        field="id",
        why=why,
        raw='{"self":"https://acme.test/7"}',
        asked_again=True,
    )


def released(record: str = "issue/10001/comment 7") -> RecordReleased:
    return RecordReleased(**shared("quarantine", f"{PROJECT}/{record}"), run_id="run-2", record=record)


def waiting(run_id: str = "run-1", until: datetime = MOMENT + timedelta(minutes=5)) -> SyncWaiting:
    return SyncWaiting(
        **shared("sync", PROJECT),
        run_id=run_id,
        step="page",
        code="RATE_LIMIT",
        message="Jira asks for a slower pace.",
        until=until,
    )


def drift() -> SchemaDriftDetected:
    return SchemaDriftDetected(
        **shared("sync", PROJECT),
        run_id="run-1",
        change="TYPE_CHANGED",
        field_id="customfield_10016",
        field_name="Story points",
        before="number",
        after="string",
    )


def backed_off(level: int = 1, seconds: int = 3600, code: str = "AUTH_EXPIRED") -> BackoffApplied:
    return BackoffApplied(
        **shared("control", PROJECT, cause="telemetry"),
        level=level,
        code=code,
        failures=level + 2,
        seconds=seconds,
        anchor=MOMENT + timedelta(minutes=level),
        run_id="run-1",
    )


def restored() -> BackoffCleared:
    return BackoffCleared(**shared("control", PROJECT, cause="telemetry"), reason="a run succeeded", run_id="run-1")


def schedule_stretched(seconds: int = 7200) -> ScheduleStretched:
    return ScheduleStretched(**shared("control", PROJECT, cause="ingestor"), seconds=seconds, anchor=MOMENT)


def stretch_ended() -> StretchEnded:
    return StretchEnded(**shared("control", PROJECT, cause="ingestor"), reason="webhooks are not proved alive")


def alert_raised(alert_id: str = "a1", code: str = "AUTH_EXPIRED", count: int = 3) -> AlertRaised:
    return AlertRaised(
        **shared("control", PROJECT, cause="telemetry"),
        alert_id=alert_id,
        fingerprint=f"print of {code}",
        code=code,
        category="access",
        severity="critical",
        message="Jira refused the token.",
        advice="Make a new API token and set JIRA_API_TOKEN.",
        docs="https://id.atlassian.com/manage-profile/security/api-tokens",
        first_seen=MOMENT,
        last_seen=MOMENT + timedelta(minutes=count),
        count=count,
        run_id="run-1",
    )


def alert_repeated(alert_id: str = "a1", count: int = 4) -> AlertRepeated:
    return AlertRepeated(
        **shared("control", PROJECT, cause="telemetry"),
        alert_id=alert_id,
        fingerprint="print of AUTH_EXPIRED",
        code="AUTH_EXPIRED",
        message=f"Jira refused the token, seen {count} times.",
        last_seen=MOMENT + timedelta(minutes=count),
        count=count,
        run_id=f"run-{count}",
    )


def alert_resolved(alert_id: str = "a1", end: AlertEnd = AlertEnd.RECOVERED, reason: str = "") -> AlertResolved:
    return AlertResolved(
        **shared("control", PROJECT, cause="ada" if end is AlertEnd.BY_HAND else "telemetry"),
        alert_id=alert_id,
        fingerprint="print of AUTH_EXPIRED",
        code="AUTH_EXPIRED",
        end=end,
        first_seen=MOMENT,
        count=9,
        reason=reason,
    )


def alert_acknowledged(alert_id: str = "a1", reason: str = "I am at it") -> AlertAcknowledged:
    return AlertAcknowledged(**shared("control", PROJECT, cause="ada"), alert_id=alert_id, reason=reason)


def alerts_silenced(code: str | None = None, minutes: int = 60) -> AlertsSilenced:
    """With no minutes: the end of a silence."""
    return AlertsSilenced(
        **shared("control", PROJECT, cause="ada"),
        code=code,
        until=MOMENT + timedelta(minutes=minutes),
        reason="Jira moves house",
    )


def census_requested(accept: bool = False) -> CensusRequested:
    return CensusRequested(**shared("control", PROJECT, cause="ada"), request_id="r1", accept=accept, reason="")


def proof(entity: str = "issue", in_jira: int | None = 100, here: int = 100, **differing: int) -> EntityProof:
    """How many of an entity are in Jira and here; what differs, by cause in lower case."""
    differences = tuple(
        Difference(cause=DifferenceCause(cause.upper()), number=number, ids=tuple(str(n) for n in range(number)))
        for cause, number in differing.items()
    )
    return EntityProof(entity=entity, in_jira=in_jira, here=here, differences=differences)


def census(*entities: EntityProof, at: datetime = MOMENT, **parts: Any) -> CensusCompleted:
    """A census that was completed; of issues alone, all of them here, unless said otherwise."""
    found = {"run_id": "census-1", "counted": 100, "requests": 3, "seconds": 1.5, **parts}
    return CensusCompleted(**shared("census", PROJECT, at=at), entities=entities or (proof(),), **found)


def held_back(at: datetime = MOMENT, number: int = 40) -> CensusCompleted:
    """A census that would have removed too much."""
    return census(
        proof(in_jira=100 - number, here=100, held_back=number),
        at=at,
        held_back=number,
        brake=f"{number} of 100 issues seem gone, more than 20.",
    )


def census_failed(code: str = "FORBIDDEN", at: datetime = MOMENT) -> CensusFailed:
    message, advice = "The account may not browse it.", "Give it the permission."
    return CensusFailed(
        **shared("census", PROJECT, at=at), run_id="census-2", code=code, message=message, advice=advice
    )


def _notification(notification_id: str) -> dict[str, Any]:
    return {
        **shared("notice", notification_id, cause="notifier"),
        "notification_id": notification_id,
        "channel": "email",
    }


def notification_requested(notification_id: str = "n1") -> NotificationRequested:
    return NotificationRequested(
        **{**_notification(notification_id), "project": "", "cause": "ada"}, to=("ops@acme.example",)
    )


def notification_sent(
    notification_id: str = "n1", alert_ids: Sequence[str] = ("a1",), attempt: int = 1
) -> NotificationSent:
    return NotificationSent(
        **_notification(notification_id),
        reason=NotificationReason.FIRST,
        subject="DEMO: Jira refused the token",
        recipients=("ops@acme.example",),
        alert_ids=tuple(alert_ids),
        projects=(PROJECT,),
        attempt=attempt,
        provider_message_id="<1@acme.example>",
        refused=("gone@acme.example: 550 no such user",),
    )


def notification_failed(
    notification_id: str = "n1", alert_ids: Sequence[str] = ("a1",), attempt: int = 1, *, dead: bool = False
) -> NotificationFailed:
    return NotificationFailed(
        **_notification(notification_id),
        reason=NotificationReason.REPEAT,
        subject="DEMO: Jira still refuses the token",
        recipients=("ops@acme.example", "cto@acme.example"),
        alert_ids=tuple(alert_ids),
        projects=(PROJECT,),
        attempt=attempt,
        kind=FailureKind.PERMANENT if dead else FailureKind.TRANSIENT,
        code="SMTP_REFUSED",
        provider_code="450",
        message=f"The server was busy at attempt {attempt}.",
        advice="Wait.",
        retry_after=None if dead else 30.0,
        next_attempt_at=None if dead else MOMENT + timedelta(minutes=attempt),
    )


def notification_redriven(notification_id: str = "n1") -> NotificationRedriven:
    return NotificationRedriven(**{**_notification(notification_id), "project": "", "cause": "ada"})


def versioned(events: Sequence[Event]) -> list[Event]:
    """The events with the stream versions the store would give them."""
    heads: dict[Any, int] = {}
    numbered: list[Event] = []
    for event in events:
        heads[event.stream_id] = heads.get(event.stream_id, 0) + 1
        numbered.append(
            msgspec.structs.replace(event, stream_version=heads[event.stream_id], recorded_at=event.occurred_at)
        )
    return numbered


def recorded(events: Sequence[Event], first: int = 1) -> list[Recorded]:
    """The events as the log would give them, numbered in their streams and in the log."""
    return [
        Recorded(position, event, TOPIC_OF[type(event)], b"") for position, event in enumerate(versioned(events), first)
    ]
