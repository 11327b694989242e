"""What the notifier measures and logs of its work. Counters start at zero with the process, as Prometheus expects."""

from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

from libs.events import AlertRaised, AlertResolved, NotificationFailed, NotificationSent, Recorded
from libs.runtime import EVENT_DELAY, EVENTS_HANDLED
from services.notifier.fold import FOLDS
from services.notifier.saved_state import NAME
from services.notifier.state import State

log = structlog.get_logger(__name__)

NOTIFICATIONS: Final = Counter(
    "notifications_total",
    "Attempts to send a notice by outcome: sent, retried, dead; code is that of the failure, else empty.",
    ["channel", "reason", "outcome", "code"],
)
LATENCY: Final = Histogram(
    "notification_latency_seconds",
    "Time from the decision to send a notice until its provider had it.",
    ["channel"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 3600, 14400, 86400),
)
CHANNELS: Final = Gauge("notification_channels", "Channels that are set up; with none, alerts reach nobody.")
WAITING: Final = Gauge("notifications_waiting", "Notices that are on their way.")
DEAD: Final = Gauge("notifications_dead", "Notices that were given up and may be redriven.")


def observe_event(recorded: Recorded) -> None:
    """Count an event that was read; alerts are logged as well, for those who read logs and nothing else."""
    event = recorded.event
    if type(event) not in FOLDS:
        log.error("an event cannot be read", position=recorded.position, topic=recorded.topic)
        return
    EVENTS_HANDLED.labels(NAME, type(event).__name__, "ok").inc()
    EVENT_DELAY.labels(NAME).observe((datetime.now(UTC) - event.recorded_at).total_seconds())
    if isinstance(event, AlertRaised | AlertResolved):
        shown = {name: str(getattr(event, name)) for name in ("code", "message") if hasattr(event, name)}
        of = {"event_type": type(event).__name__, "site": event.site, "project": event.project}
        log.warning("alert", **of, **shown, position=recorded.position)


def observe_state(state: State) -> None:
    """Show how many notifications wait, and how many were given up."""
    dead = sum(pending.dead for pending in state.outbox.values())
    DEAD.set(dead)
    WAITING.set(len(state.outbox) - dead)


def observe_outcome(event: NotificationSent | NotificationFailed, decided_at: datetime) -> None:
    """Count and log an attempt to send a notification that was decided at some time."""
    if isinstance(event, NotificationSent):
        NOTIFICATIONS.labels(event.channel, event.reason, "sent", "").inc()
        LATENCY.labels(event.channel).observe(max(0.0, (event.occurred_at - decided_at).total_seconds()))
        log.info(
            "notification sent",
            notification=event.notification_id,
            channel=event.channel,
            reason=event.reason,
            attempt=event.attempt,
        )
        return
    dead = event.next_attempt_at is None
    NOTIFICATIONS.labels(event.channel, event.reason, "dead" if dead else "retried", event.code).inc()
    log.warning(
        "notification not sent",
        notification=event.notification_id,
        channel=event.channel,
        kind=event.kind,
        code=event.code,
        why=event.message,
        advice=event.advice,
        next_attempt_at=None if dead else str(event.next_attempt_at),
    )
