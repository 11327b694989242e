"""Backoff and alerts read from the log in the plainest way: the tests' own reading against telemetry's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from libs.events import (
    AlertEnd,
    AlertResolved,
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    ScheduleResumed,
    SyncFailed,
    SyncSucceeded,
)

GAPS: dict[str, float] = {"*/15 * * * *": 900, "0 * * * *": 3600, "0 5 * * *": 86_400, "*/5 * * * *": 300}
CAP = 21_600
TO_THE_CAP = {"SUSPENDED_PAYMENT", "AUTH_EXPIRED"}
ALERTED_AT_ONCE = TO_THE_CAP | {"BAD_REQUEST"}


class Outcome(NamedTuple):
    """The state at the end of the log."""

    level: int
    seconds: int
    anchor: datetime | None
    raised: list[tuple[int, str]]
    """Index of the event that led to it, and code, of each alert ever raised."""
    open: int | None
    """Which of them is open."""


def outcome_of(events: list[Event], alert_ids: list[str], gap_of: Callable[[str], float] = GAPS.__getitem__) -> Outcome:
    """Read the log from its start. `alert_ids`: of the alerts in the order in which they were raised."""
    gap = 0.0
    level = seconds = failures = 0
    code, anchor, registered = "", None, False
    raised: list[tuple[int, str]] = []
    opened: int | None = None
    for index, event in enumerate(events):
        if isinstance(event, ProjectRegistered | ScheduleChanged | ScheduleResumed):
            level = seconds = failures = 0
            anchor = None
            registered = registered or isinstance(event, ProjectRegistered)
            gap = gap if isinstance(event, ScheduleResumed) else gap_of(event.cron)
        elif isinstance(event, ProjectUnregistered):
            registered, opened, level, seconds, anchor, failures = False, None, 0, 0, None, 0
        elif isinstance(event, SyncSucceeded) and registered:
            level = seconds = failures = 0
            anchor, opened = None, None
        elif isinstance(event, SyncFailed) and registered:
            failures = failures + 1 if failures and event.code == code else 1
            code = event.code
            if (opened is None or raised[opened][1] != code) and (failures >= 3 or code in ALERTED_AT_ONCE):
                raised.append((index, code))
                opened = len(raised) - 1
            if gap < CAP and (code in TO_THE_CAP or failures >= 3):
                steps = [level] + [n for n in range(level + 1, 20) if gap * 2 ** (n - 1) < CAP]
                level = steps[-1] if code in TO_THE_CAP else steps[:2][-1]
                seconds, anchor = round(min(CAP, gap * 2.0**level)), event.occurred_at
        elif isinstance(event, AlertResolved) and event.end is AlertEnd.BY_HAND:
            opened = None if opened is not None and alert_ids[opened] == event.alert_id else opened
    return Outcome(level, seconds, anchor, raised, opened)
