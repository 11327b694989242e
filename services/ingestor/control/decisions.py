"""What a command comes to: the events that it makes of a project's state, or why it is refused. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    CensusRequested,
    ControlEvent,
    Envelope,
    Event,
    NotificationEvent,
    NotificationRedriven,
    NotificationRequested,
    ProjectKey,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SyncRequested,
    TrackedUsersChanged,
)
from libs.jira_client import ErrorCode
from libs.temporal import names
from libs.temporal.commands import UNKNOWN_PROJECT
from libs.temporal.cron import BadCron, check
from libs.temporal.messages import (
    AcknowledgeAlert,
    AnyCommand,
    ApplyBackoff,
    ClearBackoff,
    Command,
    PauseSync,
    ProveProject,
    RedriveNotification,
    RegisterProject,
    RequestSync,
    RescheduleSync,
    ResolveAlert,
    ResumeSync,
    SendTestNotification,
    SetTrackedUsers,
    SilenceAlerts,
    StartSync,
    UnregisterProject,
)
from services.ingestor.census.remembered import PendingCensus
from services.ingestor.control.refusals import RefusedError
from services.ingestor.control.state import Alert, ControlState
from services.ingestor.project_of import control_entity, project_of
from services.ingestor.sync.plan import PendingRequest

MAX_TRACKED = 200
"""Accounts of a watch list. Each stands three times in the JQL of a search, which Jira limits in length."""

MAX_REASON = 500

LONGEST_SILENCE = timedelta(days=90)
"""A silence that somebody forgot must not last for ever."""

UNKNOWN_ALERT = "UNKNOWN_ALERT"

_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be stored for a command, in one transaction."""

    events: tuple[Event, ...] = ()
    request: PendingRequest | None = None
    """A sync that the command asks for."""
    census: PendingCensus | None = None
    """A census that the command asks for."""

    @property
    def request_id(self) -> str | None:
        """Of the sync or the census that it asks for."""
        asked = self.request or self.census
        return asked.request_id if asked else None


Decide = Callable[[Any, ControlState, datetime], Decision]
"""What a command comes to: from the command, the project's state and our clock."""


def decide(command: AnyCommand, state: ControlState, now: datetime, held_back: int = 0) -> Decision:
    """Turn a command into events.

    Args:
        command: what somebody wants.
        state: of its project, as the log says now.
        now: our clock.
        held_back: issues that the project's last census has not removed, because a person has to be asked.

    Raises:
        RefusedError: it cannot be carried out as it stands; the text says what would be right.
    """
    if len(command.reason) > MAX_REASON:
        raise RefusedError("BAD_REASON", f"The reason is longer than {MAX_REASON} characters.", "reason")
    if not isinstance(command, _WITHOUT_PROJECT) and not state.registered and not _of_site(command):
        raise RefusedError(
            UNKNOWN_PROJECT,
            f"Project {command.project} of site {command.site} is not registered."
            f" Register it first: jdi register {command.project}",
            "projectId",
        )
    if isinstance(command, ProveProject):
        return _prove(command, now, held_back)
    return _DECISIONS[type(command)](command, state, now)


def check_key(key: str) -> None:
    """Nothing, when a Jira project can have this key.

    Raises:
        RefusedError: none can.
    """
    if not _KEY.fullmatch(key):
        raise RefusedError(
            "BAD_PROJECT_KEY",
            f"{key!r} is no key of a Jira project: capital letters, digits and _, such as DEMO.",
            "key",
        )


def _register(command: RegisterProject, state: ControlState, now: datetime) -> Decision:
    check_key(command.project)
    _check_cron(command.cron, command.timezone)
    tracked = _account_list(command.account_ids)
    if state.registered:
        return Decision()
    registered = ProjectRegistered(
        **_envelope(command, now),
        key=command.project,
        cron=command.cron,
        timezone=command.timezone,
        schedule_id=names.schedule_id(command.site, command.project),
        workflow_id=names.sync_workflow_id(command.site, command.project),
    )
    events: list[Event] = [registered]
    if tracked:
        events.append(TrackedUsersChanged(**_envelope(command, now), account_ids=tracked, added=tracked, removed=()))
    # What was missed while it was not registered is older than any window an incremental run looks back over.
    request = PendingRequest(
        request_id=command.command_id, full=state.known, reason=command.reason or f"registered by {command.actor}"
    )
    return _with_request(command, request, now, *events)


def _records(kind: type[ProjectUnregistered | SchedulePaused | ScheduleResumed]) -> Decide:
    """The decision on a command that says no more than why."""

    def decided(command: Command, _state: ControlState, now: datetime) -> Decision:
        return Decision(events=(kind(**_envelope(command, now), reason=command.reason),))

    return decided


def _start(command: StartSync, state: ControlState, now: datetime) -> Decision:
    waits = state.paused or state.backoff.level
    resumed = [ScheduleResumed(**_envelope(command, now), reason=command.reason)] if waits else []
    return _with_request(command, _request(command, full=command.full), now, *resumed)


def _reschedule(command: RescheduleSync, state: ControlState, now: datetime) -> Decision:
    timezone = command.timezone or state.timezone
    _check_cron(command.cron, timezone)
    event = ScheduleChanged(
        **_envelope(command, now),
        cron=command.cron,
        timezone=timezone,
        revision=state.revision + 1,
        reason=command.reason,
    )
    return Decision(events=(event,))


def _request_sync(command: RequestSync, _state: ControlState, now: datetime) -> Decision:
    request = _request(command, full=command.full, account_ids=command.account_ids)
    return _with_request(command, request, now)


def _prove(command: ProveProject, now: datetime, held_back: int) -> Decision:
    if command.accept and not held_back:
        raise RefusedError(
            "NOTHING_HELD_BACK",
            f"The last census of {command.project} has held nothing back, so there is nothing to accept."
            f" To take a census now, leave it out: jdi prove {command.project}",
            "accept",
        )
    event = CensusRequested(
        **_envelope(command, now), request_id=command.command_id, accept=command.accept, reason=command.reason
    )
    census = PendingCensus(
        request_id=command.command_id,
        actor=command.actor,
        asked_at=now,
        accept=held_back if command.accept else 0,
    )
    return Decision(events=(event,), census=census)


def _track(command: SetTrackedUsers, state: ControlState, now: datetime) -> Decision:
    tracked = _account_list(command.account_ids)
    before, after = set(state.tracked), set(tracked)
    if before == after:
        return Decision()
    event = TrackedUsersChanged(
        **_envelope(command, now),
        account_ids=tracked,
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
        reason=command.reason,
    )
    # Only a full run brings the history of those who were added and finds what nobody is left for.
    request = PendingRequest(request_id=command.command_id, full=True, reason="the watch list changed")
    return _with_request(command, request, now, event)


def _apply_backoff(command: ApplyBackoff, state: ControlState, now: datetime) -> Decision:
    if _overtaken(command, state):
        return Decision()
    event = BackoffApplied(
        **_envelope(command, now),
        level=command.level,
        code=command.code,
        failures=command.failures,
        seconds=command.seconds,
        anchor=command.anchor,
        run_id=command.run_id,
    )
    return Decision(events=(event,))


def _clear_backoff(command: ClearBackoff, state: ControlState, now: datetime) -> Decision:
    if _overtaken(command, state) or not state.backoff.level:
        return Decision()
    return Decision(events=(BackoffCleared(**_envelope(command, now), reason=command.reason, run_id=command.run_id),))


def _overtaken(command: ApplyBackoff | ClearBackoff, state: ControlState) -> bool:
    """Whether the back-off was set otherwise since: by people, whose word counts, or by another such command."""
    return not state.registered or command.expected_version != state.backoff.version


def _acknowledge(command: AcknowledgeAlert, state: ControlState, now: datetime) -> Decision:
    alert = _alert(command, state)
    if alert.resolved or alert.acknowledged:
        return Decision()
    event = AlertAcknowledged(**_envelope(command, now), alert_id=command.alert_id, reason=command.reason)
    return Decision(events=(event,))


def _resolve(command: ResolveAlert, state: ControlState, now: datetime) -> Decision:
    alert = _alert(command, state)
    if alert.resolved:
        return Decision()
    event = AlertResolved(
        **_envelope(command, now),
        alert_id=command.alert_id,
        fingerprint=alert.fingerprint,
        code=alert.code,
        end=AlertEnd.BY_HAND,
        first_seen=alert.first_seen,
        count=alert.count,
        reason=command.reason,
    )
    return Decision(events=(event,))


def _alert(command: AcknowledgeAlert | ResolveAlert, state: ControlState) -> Alert:
    try:
        return state.alerts[command.alert_id]
    except KeyError:
        where = f"Project {command.project}" if command.project else f"Site {command.site}"
        raise RefusedError(
            UNKNOWN_ALERT, f"{where} has no alert {command.alert_id}. The query `alerts` lists those it has.", "id"
        ) from None


def _silence(command: SilenceAlerts, _state: ControlState, now: datetime) -> Decision:
    if command.code is not None and command.code not in ErrorCode.__members__:
        codes = ", ".join(ErrorCode)
        raise RefusedError("BAD_CODE", f"There are no alerts of code {command.code!r}; give one of {codes}.", "code")
    # A moment that is over lifts a silence.
    until = now if command.until is None else min(max(command.until, now), now + LONGEST_SILENCE)
    event = AlertsSilenced(**_envelope(command, now), code=command.code, until=until, reason=command.reason)
    return Decision(events=(event,))


def _test_notification(command: SendTestNotification, _state: ControlState, now: datetime) -> Decision:
    envelope = _notification_envelope(command, command.notification_id, now)
    event = NotificationRequested(
        **envelope, notification_id=command.notification_id, channel=command.channel, to=command.to
    )
    return Decision(events=(event,))


def _redrive_notification(command: RedriveNotification, _state: ControlState, now: datetime) -> Decision:
    envelope = _notification_envelope(command, command.notification_id, now)
    event = NotificationRedriven(**envelope, notification_id=command.notification_id, channel=command.channel)
    return Decision(events=(event,))


_WITHOUT_PROJECT = (RegisterProject, ApplyBackoff, ClearBackoff, SendTestNotification, RedriveNotification)
"""Commands that are not refused for a project that is not registered."""

_DECISIONS: dict[type[Command], Decide] = {
    RegisterProject: _register,
    UnregisterProject: _records(ProjectUnregistered),
    PauseSync: _records(SchedulePaused),
    ResumeSync: _records(ScheduleResumed),
    StartSync: _start,
    RescheduleSync: _reschedule,
    RequestSync: _request_sync,
    SetTrackedUsers: _track,
    ApplyBackoff: _apply_backoff,
    ClearBackoff: _clear_backoff,
    AcknowledgeAlert: _acknowledge,
    ResolveAlert: _resolve,
    SilenceAlerts: _silence,
    SendTestNotification: _test_notification,
    RedriveNotification: _redrive_notification,
}


def _request(command: Command, *, full: bool, account_ids: Iterable[str] = ()) -> PendingRequest:
    return PendingRequest(
        request_id=command.command_id,
        full=full,
        account_ids=_account_list(account_ids),
        reason=command.reason or f"requested by {command.actor}",
    )


def _with_request(command: Command, request: PendingRequest, now: datetime, *events: Event) -> Decision:
    """The events, and that a sync is asked for."""
    requested = SyncRequested(
        **_envelope(command, now),
        request_id=request.request_id,
        full=request.full,
        account_ids=request.account_ids,
        reason=request.reason if isinstance(command, RegisterProject | SetTrackedUsers) else command.reason,
    )
    return Decision(events=(*events, requested), request=request)


def _account_list(accounts: Iterable[str]) -> tuple[str, ...]:
    listed = tuple(sorted({account.strip() for account in accounts}))
    if "" in listed:
        raise RefusedError("UNKNOWN_ACCOUNT", "An account id is empty.", "accountIds")
    if len(listed) > MAX_TRACKED:
        raise RefusedError(
            "TOO_MANY_ACCOUNTS",
            f"{len(listed)} accounts are listed, {MAX_TRACKED} fit into one search of Jira."
            " Leave the list empty to sync everybody.",
            "accountIds",
        )
    return listed


def _check_cron(cron: str, timezone: str) -> None:
    try:
        check(cron, timezone)
    except BadCron as error:
        raise RefusedError(error.code, str(error), error.field) from error


def _of_site(command: Command) -> bool:
    """Whether it is about an alert of the site as a whole, which no project has."""
    return command.project == "" and isinstance(command, AcknowledgeAlert | ResolveAlert)


def _envelope(command: Command, now: datetime) -> Envelope:
    """The fields that all control events share."""
    project = project_of(command)
    return ControlEvent.envelope(control_entity(project), project, occurred_at=now, cause=command.actor)


def _notification_envelope(command: Command, notification_id: str, now: datetime) -> Envelope:
    """A notification has a stream of its own, and no project."""
    site = ProjectKey(command.site, "")
    return NotificationEvent.envelope(notification_id, site, occurred_at=now, cause=command.actor)
