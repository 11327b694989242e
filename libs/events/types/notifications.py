"""Notifications: alerts on their way to people, one stream each.

A notification is one message on one channel. It keeps its id through every attempt, so that a repetition after a crash
can be recognised. Addresses of people may stand here, secrets (webhook addresses, tokens) never.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from libs.events.types.event import Event


class NotificationReason(StrEnum):
    """Why a notification is sent."""

    FIRST = "FIRST"
    """The first notification of its alerts."""
    MORE = "MORE"
    """More alerts have joined those that were notified."""
    REPEAT = "REPEAT"
    """They are still open."""
    RESOLVED = "RESOLVED"
    """They are over."""
    DIGEST = "DIGEST"
    """Several of these at once, held back by the rate limit."""
    TEST = "TEST"


class FailureKind(StrEnum):
    """What kind of failure, and so whether another attempt helps."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"
    CONFIG = "config"
    """The channel's settings are wrong or missing: a person has to act."""
    REJECTED_RECIPIENT = "rejected_recipient"
    PERMANENT = "permanent"


class NotificationEvent(Event, frozen=True, kw_only=True):
    """Of one notification; the entity id is its id."""

    entity = "notice"

    notification_id: str = msgspec.field(name="notice_id")
    channel: str


class NotificationRequested(NotificationEvent, frozen=True, kw_only=True):
    """Somebody wants to see whether a channel works."""

    to: tuple[str, ...] = ()
    """Empty: whom the channel is set up for."""


class DeliveryEvent(NotificationEvent, frozen=True, kw_only=True):
    """Of one attempt to deliver a notification."""

    reason: NotificationReason
    subject: str
    recipients: tuple[str, ...]
    alert_ids: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    """Keys of the projects of its alerts; `project` is empty where there are several."""
    attempt: int = 1


class NotificationSent(DeliveryEvent, frozen=True, kw_only=True):
    """The provider has accepted the notification."""

    provider_message_id: str = ""
    refused: tuple[str, ...] = ()
    """Recipients that the provider refused, each with its reason."""


class NotificationFailed(DeliveryEvent, frozen=True, kw_only=True):
    """An attempt failed. Without `next_attempt_at` it was the last: it is a dead letter until redriven."""

    kind: FailureKind
    code: str
    """Ours, such as SMTP_REFUSED or NOT_CONFIGURED."""
    provider_code: str = ""
    """The provider's, such as 550 or 132001."""
    message: str
    advice: str = ""
    retry_after: float | None = None
    """Seconds that the provider asked to wait."""
    next_attempt_at: datetime | None = None
    taken: tuple[str, ...] = ()
    """Recipients for whom it was accepted, now or in an earlier attempt; the next attempt is for `recipients` alone."""
    refused: tuple[str, ...] = ()
    """Recipients that are given up, each with the provider's reason."""


class NotificationRedriven(NotificationEvent, frozen=True, kw_only=True):
    """Somebody wants a dead letter tried again."""
