"""How much slower than its cron a project's schedule runs: slowed down while Jira fails, restored when it works again.

These events stand in the project's control stream, so that its order settles every race between telemetry and people.
"""

from datetime import datetime

import msgspec

from libs.events.types.control import (
    ControlEvent,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    ScheduleResumed,
)
from libs.events.types.event import Event


class BackoffApplied(ControlEvent, frozen=True, kw_only=True):
    """The schedule runs at a fixed interval from now on, in place of its cron; a pause stays."""

    level: int
    """1, 2, 3, …: how often it was slowed down further."""
    code: str
    """The failure that led to it."""
    failures: int
    """Runs in a row that failed so."""
    seconds: int
    """From one run to the next."""
    anchor: datetime
    """When the last of them failed: runs come at `anchor` and n times `seconds`, n = 1, 2, 3, …"""
    run_id: str
    """The last of them."""


class BackoffCleared(ControlEvent, frozen=True, kw_only=True):
    """The schedule runs by its cron again, exactly as people had set it."""

    reason: str
    run_id: str | None = None
    """The run that succeeded."""


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """The backoff of a schedule, as its control stream records it."""

    level: int = 0
    """0: by its cron."""
    code: str = ""
    failures: int = 0
    seconds: int = 0
    anchor: datetime | None = None
    since: datetime | None = None
    """When it was slowed down first."""
    version: int = 0
    """Version of the stream's last event that set or cleared the backoff; a decision based on an older one is void."""


def backoff_after(backoff: Backoff, event: Event) -> Backoff:
    """The backoff after one more event of the control stream; a new schedule and a resume begin at level 0."""
    if isinstance(event, BackoffApplied):
        return Backoff(
            level=event.level,
            code=event.code,
            failures=event.failures,
            seconds=event.seconds,
            anchor=event.anchor,
            since=backoff.since or event.occurred_at,
            version=event.stream_version,
        )
    if isinstance(event, BackoffCleared | ProjectRegistered | ProjectUnregistered | ScheduleChanged | ScheduleResumed):
        return Backoff(version=event.stream_version)
    return backoff
