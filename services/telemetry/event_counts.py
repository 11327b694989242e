"""Count and log the events of syncs and censuses.

`HANDLERS` says what is done with which event; every other event is logged under its name.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from libs.events import (
    CensusCompleted,
    CensusFailed,
    Event,
    Recorded,
    SyncCancelled,
    SyncFailed,
    SyncStarted,
    SyncSucceeded,
)
from libs.runtime import EVENT_DELAY, EVENTS_HANDLED
from services.telemetry.measures import CENSUS_REQUESTS, CENSUSES, ISSUES_GONE, SYNC_ROWS, SYNC_RUNS, SYNC_SECONDS

SERVICE: Final = "telemetry"

log = structlog.get_logger(__name__)


def count_event(recorded: Recorded) -> None:
    """Count and log one event that has been dealt with."""
    event = recorded.event
    HANDLERS.get(type(event), _other)(event)
    EVENTS_HANDLED.labels(SERVICE, type(event).__name__, "ok").inc()
    EVENT_DELAY.labels(SERVICE).observe((datetime.now(UTC) - event.recorded_at).total_seconds())


def _started(event: SyncStarted) -> None:
    log.info("sync started", **_of(event), run_id=event.run_id, mode=event.mode, reason=event.reason)


def _succeeded(event: SyncSucceeded) -> None:
    SYNC_RUNS.labels(event.site, event.project, "succeeded", "").inc()
    SYNC_SECONDS.labels(event.site, event.project, event.mode).observe(event.seconds)
    counts = {name: getattr(event, name) for name in ("issues", "comments", "worklogs", "sprints", "users")}
    for entity, count in counts.items():
        SYNC_ROWS.labels(event.site, event.project, entity).inc(count)
    log.info("sync finished", **_of(event), mode=event.mode, seconds=round(event.seconds, 3), **counts)


def _failed(event: SyncFailed) -> None:
    SYNC_RUNS.labels(event.site, event.project, "failed", event.code).inc()
    log.warning("sync failed", **_of(event), code=event.code, message=event.message, advice=event.advice)


def _cancelled(event: SyncCancelled) -> None:
    SYNC_RUNS.labels(event.site, event.project, "cancelled", "").inc()
    log.info("sync cancelled", **_of(event), reason=event.reason, pages=event.pages_recorded)


def _census_completed(event: CensusCompleted) -> None:
    CENSUSES.labels(event.site, event.project, "held_back" if event.brake else "proved", "").inc()
    CENSUS_REQUESTS.labels(event.site, event.project).inc(event.requests)
    for gone in event.gone:
        ISSUES_GONE.labels(event.site, event.project, gone.reason).inc(gone.number)
    told = {"held_back": event.held_back, "brake": event.brake} if event.brake else {}
    log.info("census finished", **_of(event), seconds=round(event.seconds, 3), requests=event.requests, **told)


def _census_failed(event: CensusFailed) -> None:
    CENSUSES.labels(event.site, event.project, "failed", event.code).inc()
    CENSUS_REQUESTS.labels(event.site, event.project).inc(event.requests)
    log.warning("census failed", **_of(event), code=event.code, message=event.message, advice=event.advice)


def _other(event: Event) -> None:
    log.info("event", **_of(event), event_type=type(event).__name__)


def _of(event: Event) -> dict[str, str]:
    return {"site": event.site, "project": event.project}


HANDLERS: Final[Mapping[type[Event], Callable[[Any], None]]] = {
    SyncStarted: _started,
    SyncSucceeded: _succeeded,
    SyncFailed: _failed,
    SyncCancelled: _cancelled,
    CensusCompleted: _census_completed,
    CensusFailed: _census_failed,
}
