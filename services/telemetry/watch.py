"""Follow what happens to syncs: each event is measured, logged and acknowledged.

`HANDLERS` says what is done with which event; every other event of the subscribed subjects is logged under its name.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from libs.events import (
    Delivery,
    Event,
    SyncCancelled,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    subscribe,
)
from libs.runtime import EVENT_DELAY, EVENTS_HANDLED, POSITION, Stop
from services.telemetry.measures import LAST_SUCCESS, SYNC_ROWS, SYNC_RUNS, SYNC_SECONDS

DURABLE: Final = "telemetry"
SUBJECTS: Final = ("jira.*.*.sync.*", "jira.*.*.control.*")
MAX_DELIVER: Final = 8
RETRY_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


async def watch(nats_url: str, stop: Stop, on_health: Callable[[str | None], None]) -> None:
    """Handle every event until `stop`; the durable consumer remembers how far we are."""
    deliveries = subscribe(
        nats_url,
        durable=DURABLE,
        subjects=SUBJECTS,
        stop=stop,
        max_deliver=MAX_DELIVER,
        on_dead_letter=_log_dead_letter,
        on_health=on_health,
    )
    async for delivery in deliveries:
        await _handle(delivery)


async def _handle(delivery: Delivery) -> None:
    name = type(delivery.event).__name__
    try:
        observe(delivery.event)
    except Exception as error:  # noqa: BLE001 - one bad event must not stop the others
        await _try_again_or_give_up(delivery, name, error)
        return
    await delivery.ack()
    EVENTS_HANDLED.labels(DURABLE, name, "ok").inc()
    EVENT_DELAY.labels(DURABLE).observe((datetime.now(UTC) - delivery.event.recorded_at).total_seconds())
    POSITION.labels(DURABLE).set(delivery.position)


async def _try_again_or_give_up(delivery: Delivery, name: str, error: Exception) -> None:
    where = {"event_type": name, "position": delivery.position, "attempt": delivery.attempt}
    log.error("event could not be handled", **where, exc_info=error)
    if delivery.attempt >= MAX_DELIVER:
        EVENTS_HANDLED.labels(DURABLE, name, "dead_letter").inc()
        await delivery.dead_letter(f"{type(error).__name__}: {error}")
    else:
        EVENTS_HANDLED.labels(DURABLE, name, "retried").inc()
        await delivery.retry(RETRY_SECONDS)


async def _log_dead_letter(subject: str, body: bytes, reason: str) -> None:
    log.error("dead letter", subject=subject, bytes=len(body), reason=reason)


def observe(event: Event) -> None:
    """Measure and log one event."""
    HANDLERS.get(type(event), _other)(event)


def _started(event: SyncStarted) -> None:
    log.info("sync started", **_of(event), run_id=event.run_id, mode=event.mode, reason=event.reason)


def _page(event: SyncPageRecorded) -> None:
    log.debug("page recorded", **_of(event), page=event.page, of=event.pages_total, issues=event.issues)


def _succeeded(event: SyncSucceeded) -> None:
    SYNC_RUNS.labels(event.site, event.project, "succeeded", "").inc()
    SYNC_SECONDS.labels(event.site, event.project, event.mode).observe(event.seconds)
    LAST_SUCCESS.labels(event.site, event.project).set(event.occurred_at.timestamp())
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


def _other(event: Event) -> None:
    log.info("event", **_of(event), event_type=type(event).__name__)


def _of(event: Event) -> dict[str, str]:
    return {"site": event.site, "project": event.project}


HANDLERS: Final[Mapping[type[Event], Callable[[Any], None]]] = {
    SyncStarted: _started,
    SyncPageRecorded: _page,
    SyncSucceeded: _succeeded,
    SyncFailed: _failed,
    SyncCancelled: _cancelled,
}
