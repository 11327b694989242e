"""How a project is meant to be synced: the fold of its control stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from libs.events import (
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    TrackedUsersChanged,
)


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
    version: int = 0
    """Version of the stream's last event that concerns the schedule: tells whether Temporal is up to date."""


def fold_control(events: Iterable[Event]) -> ControlState:
    """The state that a project's control events, oldest first, amount to."""
    state = ControlState()
    for event in events:
        changed = _changed(state, event)
        if changed is not None:
            state = msgspec.structs.replace(changed, version=event.stream_version)
        elif isinstance(event, TrackedUsersChanged):
            state = msgspec.structs.replace(state, tracked=event.account_ids)
    return state


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
    return None


def _running(state: ControlState) -> ControlState:
    return msgspec.structs.replace(state, paused=False, paused_by="", pause_reason="")
