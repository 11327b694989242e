"""What follows from an attempt: taken, tried again later, or given up. Pure."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from libs.events import (
    FailureKind,
    NotificationEvent,
    NotificationFailed,
    NotificationReason,
    NotificationSent,
    ProjectKey,
)
from services.notifier.message.types import Failure, Result
from services.notifier.state import Pending, State

FIRST_SECONDS: Final = 10.0
LONGEST_SECONDS: Final = 900.0
GIVE_UP_SECONDS: Final = 24 * 3600.0
"""A provider that is down for longer than a day is no longer waited for."""
SPREAD: Final = 0.2
"""Part of a wait by which notifications differ, so that they do not all come back at once."""
WORTH_ANOTHER: Final = (FailureKind.TRANSIENT, FailureKind.RATE_LIMITED)
CAUSE: Final = "notifier"


def wait_seconds(notification_id: str, attempt: int, retry_after: float | None) -> float:
    """How long to wait after a failed attempt (1, 2, …): doubled each time, bounded, never less than was asked for."""
    spread = 1 + SPREAD * (uuid.uuid5(uuid.NAMESPACE_OID, notification_id).int % 1000) / 1000
    wait: float = min(FIRST_SECONDS * 2.0 ** min(attempt - 1, 30), LONGEST_SECONDS) * spread
    return max(wait, retry_after or 0.0)


def outcome(
    pending: Pending, result: Result, subject: str, recipients: tuple[str, ...], now: datetime
) -> NotificationSent | NotificationFailed:
    """The event that an attempt is recorded as.

    Args:
        pending: the notification that was tried.
        result: what its channel answered.
        subject: as it was sent.
        recipients: whom this attempt was for.
        now: the end of the attempt.
    """
    notification = pending.notification
    attempt = pending.attempts + 1
    taken = _union(pending.taken, result.taken)
    again = [one for one in result.failures if one.kind in WORTH_ANOTHER]
    lost = [one for one in result.failures if one.kind not in WORTH_ANOTHER]
    refused = _union(pending.refused, (f"{one.recipient}: {one.message}" for one in lost if one.recipient))
    projects = tuple(sorted({alert.project for alert in notification.alerts if alert.project}))
    common: dict[str, Any] = {
        **NotificationEvent.envelope(
            notification.notification_id,
            ProjectKey(notification.site, projects[0] if len(projects) == 1 else ""),
            occurred_at=now,
            cause=CAUSE,
        ),
        "notification_id": notification.notification_id,
        "channel": notification.channel,
        "reason": notification.reason,
        "subject": subject,
        "alert_ids": tuple(alert.alert_id for alert in notification.alerts),
        "projects": projects,
        "attempt": attempt,
        "refused": refused,
    }
    if taken and not again:
        return NotificationSent(**common, recipients=taken, provider_message_id=result.provider_message_id)
    worst = _worst(again or lost)
    retry_after = max((one.retry_after for one in again if one.retry_after is not None), default=None)
    return NotificationFailed(
        **common,
        recipients=tuple(one.recipient for one in again if one.recipient) or recipients,
        taken=taken,
        kind=worst.kind,
        code=worst.code,
        provider_code=worst.provider_code,
        message=worst.message,
        advice=worst.advice,
        retry_after=retry_after,
        next_attempt_at=_next_attempt_at(pending, retry_after, now) if again else None,
    )


def _next_attempt_at(pending: Pending, retry_after: float | None, now: datetime) -> datetime | None:
    """When it is tried again; None when it is given up."""
    if pending.notification.reason is NotificationReason.TEST:
        return None
    wait = wait_seconds(pending.notification.notification_id, pending.attempts + 1, retry_after)
    at = now + timedelta(seconds=wait)
    return at if at - pending.since <= timedelta(seconds=GIVE_UP_SECONDS) else None


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _worst(failures: list[Failure]) -> Failure:
    """The failure that explains most: one that names no recipient, else the first."""
    return min(failures, key=lambda one: bool(one.recipient))


def ready(state: State, tried: dict[str, int], now: datetime) -> list[Pending]:
    """The notifications to send now, in the order in which to send them.

    Args:
        state: with the notifications.
        tried: the last attempt that this process has begun, by notification: the log may not say so yet.
        now: the time.
    """
    found = [
        one
        for one in state.outbox.values()
        if not one.dead
        and ready_at(state, one) <= now
        and tried.get(one.notification.notification_id, 0) <= one.attempts
    ]
    return sorted(found, key=_order)


def _order(pending: Pending) -> tuple[bool, datetime, datetime, str]:
    """What somebody waits for comes first."""
    notification = pending.notification
    return not pending.by_hand, pending.next_at, notification.at, notification.notification_id


def next_attempt(state: State, now: datetime) -> datetime | None:
    """When a notification that waits is to be tried; None when none waits."""
    moments = (ready_at(state, one) for one in state.outbox.values() if not one.dead)
    return min((moment for moment in moments if moment > now), default=None)


def ready_at(state: State, pending: Pending) -> datetime:
    """When a notification may be tried: when the channel's breaker is closed again, unless somebody waits for it."""
    breaker = state.breakers.get(pending.notification.channel)
    if pending.by_hand or breaker is None or breaker.open_until is None:
        return pending.next_at
    return max(pending.next_at, breaker.open_until)
