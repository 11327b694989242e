"""How a project is meant to be synced: the fold of its control stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from libs.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    Backoff,
    BackoffApplied,
    BackoffCleared,
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    ScheduleStretched,
    Stretch,
    StretchEnded,
    TrackedUsersChanged,
    backoff_after,
    stretch_after,
)
from libs.temporal.intervals import Interval, pace

_LEAVE_THE_PAUSE: Final = (ScheduleChanged, BackoffApplied, BackoffCleared, ScheduleStretched, StretchEnded)
"""What concerns the schedule, but not whether it is paused."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What people may do something about; no more of it than they need for that, as all are kept."""

    fingerprint: str
    code: str
    first_seen: datetime
    count: int
    acknowledged: bool = False
    resolved: bool = False


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """What people have decided about one project so far."""

    registered: bool = False
    known: bool = False
    """Whether it has ever been registered."""
    cron: str = ""
    timezone: str = "UTC"
    revision: int = 0
    """Counts the schedules it has had: 1 is that of its registration."""
    paused: bool = False
    paused_by: str = ""
    pause_reason: str = ""
    tracked: tuple[str, ...] = ()
    """The watch list; empty: everybody."""
    backoff: Backoff = Backoff()
    """By its cron, or slowed down."""
    stretch: Stretch = Stretch()
    """By its cron, or seldom, while webhooks are alive."""
    alerts: Mapping[str, Alert] = {}
    """By id: all that there ever were."""
    version: int = 0
    """Version of the stream's last event that concerns the schedule: tells whether Temporal is up to date."""
    pause_version: int = 0
    """Version of the last event that decided whether it is paused."""
    length: int = 0
    """Events that led here: all of the stream, as it was read."""


def interval_of(state: ControlState) -> Interval | None:
    """At what interval its runs come; None: by its cron."""
    backoff, stretch = (
        Interval(one.seconds, one.anchor) if one.anchor is not None else None for one in (state.backoff, state.stretch)
    )
    return pace(backoff, stretch)


def fold_control(events: Iterable[Event], before: ControlState | None = None) -> ControlState:
    """The state that a project's control events, oldest first, amount to; or only those after `before`."""
    state = before or ControlState()
    alerts, length = dict(state.alerts), state.length
    for event in events:
        length += 1
        if isinstance(event, AlertRaised):
            alerts[event.alert_id] = _raised(event)
        elif isinstance(event, AlertRepeated | AlertAcknowledged | AlertResolved):
            if event.alert_id in alerts:
                alerts[event.alert_id] = _marked(alerts[event.alert_id], event)
        else:
            state = _followed_by(state, event)
    return msgspec.structs.replace(state, alerts=alerts, length=length)


def _followed_by(state: ControlState, event: Event) -> ControlState:
    changed = _changed(state, event)
    if changed is not None:
        version = event.stream_version
        pause_version = state.pause_version if isinstance(event, _LEAVE_THE_PAUSE) else version
        return msgspec.structs.replace(
            changed,
            backoff=backoff_after(state.backoff, event),
            stretch=stretch_after(state.stretch, event),
            version=version,
            pause_version=pause_version,
        )
    if isinstance(event, TrackedUsersChanged):
        return msgspec.structs.replace(state, tracked=event.account_ids)
    return state


def _raised(event: AlertRaised) -> Alert:
    return Alert(fingerprint=event.fingerprint, code=event.code, first_seen=event.first_seen, count=event.count)


def _marked(alert: Alert, event: AlertRepeated | AlertAcknowledged | AlertResolved) -> Alert:
    if isinstance(event, AlertRepeated):
        return msgspec.structs.replace(alert, count=event.count)
    if isinstance(event, AlertAcknowledged):
        return msgspec.structs.replace(alert, acknowledged=True)
    return msgspec.structs.replace(alert, resolved=True)


def _changed(state: ControlState, event: Event) -> ControlState | None:
    """The state after an event that concerns the schedule; None for any other."""
    if isinstance(event, ProjectRegistered):
        return ControlState(
            registered=True,
            known=True,
            cron=event.cron,
            timezone=event.timezone,
            revision=state.revision + 1,
        )
    if isinstance(event, ProjectUnregistered):
        return msgspec.structs.replace(_running(state), registered=False, tracked=())
    if isinstance(event, ScheduleChanged):
        return msgspec.structs.replace(state, cron=event.cron, timezone=event.timezone, revision=event.revision)
    if isinstance(event, SchedulePaused):
        return msgspec.structs.replace(
            state,
            paused=True,
            paused_by=event.cause,
            pause_reason=event.reason,
        )
    if isinstance(event, ScheduleResumed):
        return _running(state)
    return state if isinstance(event, BackoffApplied | BackoffCleared | ScheduleStretched | StretchEnded) else None


def _running(state: ControlState) -> ControlState:
    return msgspec.structs.replace(state, paused=False, paused_by="", pause_reason="")
