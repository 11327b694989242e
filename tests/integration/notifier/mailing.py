"""A log with alerts in it, and a notifier beside it, for tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from libs.events import (
    TOPIC_OF,
    Append,
    Change,
    Event,
    EventStore,
    NotificationFailed,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
    stream_id,
)
from libs.runtime import Reported, Stop
from services.notifier.delivery.send import Outlet
from services.notifier.loop import Notifier
from services.notifier.message.types import Adapter
from services.notifier.policy.rules import DEFAULT, Policy
from tests.unit.made.alerts import THEN

AT_ONCE: Policy = msgspec.structs.replace(
    DEFAULT, group_wait_seconds=0.0, critical_wait_seconds=0.0, group_interval_seconds=0.0
)
"""The built-in policy for tests that do not want to wait."""


def append(store: EventStore, *events: Event) -> None:
    store.append(Append(changes=[Change(event=event) for event in events]))


def outcomes(store: EventStore) -> list[NotificationSent | NotificationFailed]:
    topics = (TOPIC_OF[NotificationSent], TOPIC_OF[NotificationFailed])
    found = [recorded.event for recorded in store.read(0, 10_000, topics)]
    return [event for event in found if isinstance(event, NotificationSent | NotificationFailed)]


@contextlib.asynccontextmanager
async def notifying(
    store: EventStore, adapters: dict[str, Adapter], nats_url: str, policy: Policy = AT_ONCE, seconds: float = 30.0
) -> AsyncIterator[Reported]:
    """A notifier at work; gives its health."""
    stop, health = Stop(), Reported()
    notifier = Notifier(store, policy, Outlet(adapters, seconds=seconds), public_url="https://jdi.example.com")
    task = asyncio.create_task(notifier.run(nats_url, stop, health.report))
    try:
        yield health
    finally:
        stop.set()
        await task


def requested(notification_id: str, channel: str, *to: str) -> NotificationRequested:
    return NotificationRequested(**_of(notification_id), channel=channel, to=to)


def redriven(notification_id: str, channel: str) -> NotificationRedriven:
    return NotificationRedriven(**_of(notification_id), channel=channel)


def _of(notification_id: str) -> dict[str, Any]:
    return {
        "stream_id": stream_id("acme", "notice", notification_id),
        "site": "acme",
        "project": "",
        "occurred_at": THEN,
        "cause": "ada",
        "notification_id": notification_id,
    }
