"""A project's course for tests: events of one project, one after another, folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from libs.events import (
    AlertEnd,
    AlertResolved,
    BackoffApplied,
    BackoffCleared,
    Event,
    Evidence,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SyncCancelled,
    SyncFailed,
    SyncMode,
    SyncSucceeded,
    stream_id,
)
from services.telemetry.backoff import Rules
from services.telemetry.state import ProjectState, fold

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3600
SITE, PROJECT = "acme", "KEY"


def envelope(stream: str, at: datetime) -> dict[str, Any]:
    return {
        "stream_id": stream_id(SITE, stream, PROJECT),
        "site": SITE,
        "project": PROJECT,
        "occurred_at": at,
        "cause": "test",
    }


def registered(at: datetime = START, cron: str = "*/15 * * * *") -> ProjectRegistered:
    return ProjectRegistered(
        **envelope("control", at), key=PROJECT, cron=cron, timezone="UTC", schedule_id="s", workflow_id="w"
    )


def unregistered(at: datetime = START) -> ProjectUnregistered:
    return ProjectUnregistered(**envelope("control", at), reason="")


def rescheduled(at: datetime = START, cron: str = "*/15 * * * *", revision: int = 2) -> ScheduleChanged:
    return ScheduleChanged(**envelope("control", at), cron=cron, timezone="UTC", revision=revision, reason="")


def paused(at: datetime = START) -> SchedulePaused:
    return SchedulePaused(**envelope("control", at), reason="")


def resumed(at: datetime = START) -> ScheduleResumed:
    return ScheduleResumed(**envelope("control", at), reason="")


def failed(code: str = "NETWORK_GLITCH", at: datetime = START, run: str = "run") -> SyncFailed:
    return SyncFailed(
        **envelope("sync", at),
        run_id=run,
        mode=SyncMode.INCREMENTAL,
        code=code,
        message=f"{code} it was",
        advice="do something",
        evidence=Evidence(),
        attempts=1,
        pages_recorded=0,
        seconds=1.0,
    )


def succeeded(at: datetime = START, run: str = "run", seconds: float = 1.0) -> SyncSucceeded:
    return SyncSucceeded(
        **envelope("sync", at),
        run_id=run,
        mode=SyncMode.INCREMENTAL,
        issues=10,
        comments=0,
        worklogs=0,
        sprints=0,
        users=0,
        appended=0,
        requests=3,
        seconds=seconds,
    )


def cancelled(at: datetime = START, run: str = "run") -> SyncCancelled:
    return SyncCancelled(**envelope("sync", at), run_id=run, reason="asked", pages_recorded=0)


def resolved_by_hand(alert_id: str, at: datetime = START) -> AlertResolved:
    return AlertResolved(
        **envelope("control", at),
        alert_id=alert_id,
        fingerprint="f",
        code="c",
        end=AlertEnd.BY_HAND,
        first_seen=at,
        count=1,
    )


class Course:
    """Folds events as they happen, a minute apart; knows every event that the fold led to."""

    def __init__(self, cron: str = "*/15 * * * *", rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.state = ProjectState(site=SITE, project=PROJECT)
        self.position, self.versions = 0, 0
        self.led_to: list[Event] = []
        self.then(registered(cron=cron))

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=self.position)

    def then(self, *events: Event) -> list[Event]:
        """What these events lead to, each at the next place of the log."""
        led_to: list[Event] = []
        for event in events:
            self.position += 1
            placed = msgspec.structs.replace(event, occurred_at=self.now)
            if placed.stream_id == stream_id(SITE, "control", PROJECT):
                self.versions += 1
                placed = msgspec.structs.replace(placed, stream_version=self.versions)
            self.state, more = fold(self.state, self.position, placed, self.rules)
            led_to += more
        self.led_to += led_to
        return led_to

    def fail(self, code: str = "NETWORK_GLITCH", times: int = 1) -> list[Event]:
        return self.then(*(failed(code) for _ in range(times)))

    def succeed(self, times: int = 1) -> list[Event]:
        return self.then(*(succeeded() for _ in range(times)))

    def carried_out(self) -> None:
        """The ingestor has recorded the desired backoff."""
        desired = self.state.desired
        if desired.level and desired.anchor is not None:
            self.then(
                BackoffApplied(
                    **envelope("control", self.now),
                    level=desired.level,
                    code=desired.code,
                    failures=desired.failures,
                    seconds=desired.seconds,
                    anchor=desired.anchor,
                    run_id=desired.run_id or "",
                )
            )
        else:
            self.then(BackoffCleared(**envelope("control", self.now), reason=""))
