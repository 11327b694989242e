"""One attempt to send a notification: put it into words, send it, and record what became of it."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from libs.events import Append, Change, EventStore, FailureKind, NotificationFailed, NotificationSent
from services.notifier.delivery.retries import outcome
from services.notifier.delivery.send import Outlet
from services.notifier.message.render import render
from services.notifier.message.types import Message, Result, failed
from services.notifier.state import Pending

log = structlog.get_logger(__name__)


async def attempt(
    pending: Pending, outlet: Outlet, public_url: str, clock: Callable[[], datetime]
) -> NotificationSent | NotificationFailed:
    """Send a notification once, to those who do not have it yet; the event that says what became of it."""
    channel = pending.notification.channel
    message, result = await _sent(pending, outlet, public_url)
    return outcome(pending, result, message.subject, message.to or outlet.recipients(channel), clock())


async def _sent(pending: Pending, outlet: Outlet, public_url: str) -> tuple[Message, Result]:
    notification = pending.notification
    try:
        message = render(notification, public_url)
    except Exception as error:
        log.exception("a notification cannot be put into words", notification=notification.notification_id)
        advice = "Report this with the notifier's log."
        return Message(subject="", text=""), failed(FailureKind.PERMANENT, "UNEXPECTED", repr(error), advice)
    if pending.remaining:
        message = msgspec.structs.replace(message, to=pending.remaining)
    return message, await outlet.send_message(notification.channel, message)


def record(store: EventStore, event: NotificationSent | NotificationFailed) -> None:
    """Append the outcome of an attempt, once. What follows from it is read from the log."""
    key = f"notice:{event.notification_id}:{event.attempt}"
    store.append(Append(changes=(Change(event=event),), idempotency_key=key))
