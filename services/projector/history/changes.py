"""The settings history: what was decided about a project, by whom, when and why. Of its backoff, telemetry decides."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    CensusRequested,
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    ScheduleStretched,
    StretchEnded,
    SyncRequested,
    TrackedUsersChanged,
)
from services.projector.history.alert_lines import silenced, slowed_down, stretched, whose
from services.projector.history.line import picked
from services.projector.tables.rows import Row
from services.projector.tables.text import json_text, storable
from services.projector.tables.times import stamp


class Change(NamedTuple):
    """The summary is a sentence without the reason; details are for programs."""

    kind: str
    summary: str
    details: Mapping[str, Any]


def change_row(recorded: Recorded) -> Row | None:
    """The row of `project_change` for an event; None for events that nobody change."""
    event = recorded.event
    change_of = CHANGES.get(type(event))
    if change_of is None or (isinstance(event, AlertResolved) and event.end is not AlertEnd.BY_HAND):
        return None
    change = change_of(event)
    return {
        "site": event.site,
        "position": recorded.position,
        "project_key": event.project,
        "kind": change.kind,
        "actor": storable(event.cause),
        "reason": storable(getattr(event, "reason", "")) or None,
        "summary": storable(change.summary),
        "details": json_text(change.details) if change.details else None,
        "at": stamp(event.occurred_at),
    }


def _registered(event: ProjectRegistered) -> Change:
    return Change("REGISTERED", f"Registered; it syncs on {event.cron} ({event.timezone}).", {})


def _unregistered(_event: ProjectUnregistered) -> Change:
    return Change("UNREGISTERED", "Unregistered.", {})


def _tracked(event: TrackedUsersChanged) -> Change:
    summary = f"Watch list: {len(event.added)} added, {len(event.removed)} removed; " + (
        f"{len(event.account_ids)} tracked now." if event.account_ids else "everybody is tracked now."
    )
    return Change("WATCH_LIST", summary, picked(event, "added", "removed"))


def _rescheduled(event: ScheduleChanged) -> Change:
    summary = f"Schedule changed to {event.cron} ({event.timezone})."
    return Change("SCHEDULE", summary, picked(event, "cron", "timezone"))


def _paused(_event: SchedulePaused) -> Change:
    return Change("PAUSED", "Paused.", {})


def _resumed(_event: ScheduleResumed) -> Change:
    return Change("RESUMED", "Resumed.", {})


def _requested(event: SyncRequested) -> Change:
    scope = f" of {len(event.account_ids)} users' issues" if event.account_ids else ""
    kind = "Full sync" if event.full else "Sync"
    return Change("SYNC_REQUESTED", f"{kind}{scope} asked for.", {"request_id": event.request_id})


def _census_requested(event: CensusRequested) -> Change:
    summary = "Accepted that what was held back goes." if event.accept else "Census asked for."
    return Change("CENSUS_REQUESTED", summary, picked(event, "request_id", "accept"))


def _slowed_down(event: BackoffApplied) -> Change:
    return Change("BACKOFF", slowed_down(event), picked(event, "level", "seconds", "code", "failures"))


def _restored(_event: BackoffCleared) -> Change:
    return Change("BACKOFF_ENDED", "Back to the schedule.", {})


def _stretched(event: ScheduleStretched) -> Change:
    return Change("STRETCHED", stretched(event), {"seconds": event.seconds})


def _stretch_ended(_event: StretchEnded) -> Change:
    return Change("STRETCH_ENDED", "Syncs run by the schedule again.", {})


def _acknowledged(event: AlertAcknowledged) -> Change:
    return Change("ALERT_ACKNOWLEDGED", "Alert acknowledged.", {"alert_id": event.alert_id})


def _resolved(event: AlertResolved) -> Change:
    return Change("ALERT_RESOLVED", f"Alert {event.code} resolved by hand.", picked(event, "alert_id", "code"))


def _silenced(event: AlertsSilenced) -> Change:
    whom = whose(event.code)
    if not silenced(event):
        return Change("ALERTS_UNSILENCED", f"Silence of {whom} ended.", {"code": event.code})
    until = stamp(event.until)
    return Change("ALERTS_SILENCED", f"Silenced {whom} until {until}.", {"code": event.code, "until": until})


CHANGES: Final[dict[type[Event], Callable[[Any], Change]]] = {
    ProjectRegistered: _registered,
    ProjectUnregistered: _unregistered,
    TrackedUsersChanged: _tracked,
    ScheduleChanged: _rescheduled,
    SchedulePaused: _paused,
    ScheduleResumed: _resumed,
    SyncRequested: _requested,
    CensusRequested: _census_requested,
    BackoffApplied: _slowed_down,
    BackoffCleared: _restored,
    ScheduleStretched: _stretched,
    StretchEnded: _stretch_ended,
    AlertAcknowledged: _acknowledged,
    AlertResolved: _resolved,
    AlertsSilenced: _silenced,
}
