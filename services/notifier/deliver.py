"""Take every alert event, write it to the log, acknowledge it.

Delivery is at least once: a crash between the line and the acknowledgement writes the line again, with the same
position.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from libs.events import Delivery, subscribe
from libs.runtime import EVENT_DELAY, EVENTS_HANDLED, POSITION, Stop

DURABLE: Final = "notifier"
SUBJECTS: Final = ("jira.*.*.control.alert_raised", "jira.*.*.control.alert_resolved")
MAX_DELIVER: Final = 8

log = structlog.get_logger(__name__)


async def deliver(nats_url: str, stop: Stop, on_health: Callable[[str | None], None]) -> None:
    """Handle every alert until `stop`; the durable consumer remembers how far we are."""
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
    event = delivery.event
    name = type(event).__name__
    log.warning("alert", event_type=name, site=event.site, project=event.project, position=delivery.position)
    await delivery.ack()
    EVENTS_HANDLED.labels(DURABLE, name, "ok").inc()
    EVENT_DELAY.labels(DURABLE).observe((datetime.now(UTC) - event.recorded_at).total_seconds())
    POSITION.labels(DURABLE).set(delivery.position)


async def _log_dead_letter(subject: str, body: bytes, reason: str) -> None:
    EVENTS_HANDLED.labels(DURABLE, subject.rpartition(".")[2], "dead_letter").inc()
    log.error("dead letter", subject=subject, bytes=len(body), reason=reason)
