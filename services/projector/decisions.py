"""The settings history: what people decided about a project, who, when and why."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from libs.events import (
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
from services.projector.changes import Row
from services.projector.storable import storable
from services.projector.times import stamp


class Decided(NamedTuple):
    """The summary is a sentence without the reason; details are for programs."""

    kind: str
    summary: str
    details: Mapping[str, Any]


def decision_row(recorded: Recorded) -> Row | None:
    """The row of `project_change` for an event; None for events that nobody decided."""
    event = recorded.event
    tell = DECISIONS.get(type(event))
    if tell is None:
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


DECISIONS: Final[dict[type[Event], Callable[[Any], Decided]]] = {
    ProjectRegistered: _registered,
    ProjectUnregistered: _unregistered,
    TrackedUsersChanged: _tracked,
    ScheduleChanged: _rescheduled,
    SchedulePaused: _paused,
    ScheduleResumed: _resumed,
    SyncRequested: _requested,
}
