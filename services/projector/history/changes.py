"""The settings history: what was decided about a project, who, when and why. Of its pace, telemetry decides."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SyncRequested,
    TrackedUsersChanged,
)
from services.projector.history.alert_lines import silenced, slowed_down, whose
from services.projector.tables.batch import Row
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


class Decided(NamedTuple):
    """The summary is a sentence without the reason; details are for programs."""

    kind: str
    summary: str
    details: Mapping[str, Any]


def decision_row(recorded: Recorded) -> Row | None:
    """The row of `project_change` for an event; None for events that nobody decided."""
    event = recorded.event
    tell = DECISIONS.get(type(event))
    if tell is None or (isinstance(event, AlertResolved) and event.end is not AlertEnd.BY_HAND):
        return None
    decided = tell(event)
    return {
        "site": event.site,
        "position": recorded.position,
        "project_key": event.project,
        "kind": decided.kind,
        "actor": storable(event.cause),
        "reason": storable(getattr(event, "reason", "")) or None,
        "summary": storable(decided.summary),
        "details": msgspec.json.encode(decided.details).decode() if decided.details else None,
        "at": stamp(event.occurred_at),
    }


def _registered(event: ProjectRegistered) -> Decided:
    return Decided("REGISTERED", f"Registered; it syncs on {event.cron} ({event.timezone}).", {})


def _unregistered(_event: ProjectUnregistered) -> Decided:
    return Decided("UNREGISTERED", "Unregistered.", {})


def _tracked(event: TrackedUsersChanged) -> Decided:
    summary = f"Watch list: {len(event.added)} added, {len(event.removed)} removed; " + (
        f"{len(event.account_ids)} tracked now." if event.account_ids else "everybody is tracked now."
    )
    return Decided("WATCH_LIST", summary, {"added": event.added, "removed": event.removed})


def _rescheduled(event: ScheduleChanged) -> Decided:
    summary = f"Schedule changed to {event.cron} ({event.timezone})."
    return Decided("SCHEDULE", summary, {"cron": event.cron, "timezone": event.timezone})


def _paused(_event: SchedulePaused) -> Decided:
    return Decided("PAUSED", "Paused.", {})


def _resumed(_event: ScheduleResumed) -> Decided:
    return Decided("RESUMED", "Resumed.", {})


def _requested(event: SyncRequested) -> Decided:
    scope = f" of {len(event.account_ids)} users' issues" if event.account_ids else ""
    kind = "Full sync" if event.full else "Sync"
    return Decided("SYNC_REQUESTED", f"{kind}{scope} asked for.", {"request_id": event.request_id})


def _slowed_down(event: BackoffApplied) -> Decided:
    return Decided(
        "BACKOFF",
        slowed_down(event),
        {"level": event.level, "seconds": event.seconds, "code": event.code, "failures": event.failures},
    )


def _restored(_event: BackoffCleared) -> Decided:
    return Decided("BACKOFF_ENDED", "Back to the schedule.", {})


def _acknowledged(event: AlertAcknowledged) -> Decided:
    return Decided("ALERT_ACKNOWLEDGED", "Alert acknowledged.", {"alert_id": event.alert_id})


def _resolved(event: AlertResolved) -> Decided:
    details = {"alert_id": event.alert_id, "code": event.code}
    return Decided("ALERT_RESOLVED", f"Alert {event.code} resolved by hand.", details)


def _silenced(event: AlertsSilenced) -> Decided:
    whom = whose(event.code)
    if not silenced(event):
        return Decided("ALERTS_UNSILENCED", f"Silence of {whom} ended.", {"code": event.code})
    until = stamp(event.until)
    return Decided("ALERTS_SILENCED", f"Silenced {whom} until {until}.", {"code": event.code, "until": until})


DECISIONS: Final[dict[type[Event], Callable[[Any], Decided]]] = {
    ProjectRegistered: _registered,
    ProjectUnregistered: _unregistered,
    TrackedUsersChanged: _tracked,
    ScheduleChanged: _rescheduled,
    SchedulePaused: _paused,
    ScheduleResumed: _resumed,
    SyncRequested: _requested,
    BackoffApplied: _slowed_down,
    BackoffCleared: _restored,
    AlertAcknowledged: _acknowledged,
    AlertResolved: _resolved,
    AlertsSilenced: _silenced,
}
