"""What the notifier knows: open alerts and where they were reported, notifications on their way, silences, breakers.

Kept as parts beside the log (`saved_state`); `fold` makes it from events.
"""

from datetime import datetime
from typing import Final

import msgspec

from libs.events import NotificationReason

VERSION: Final = 1
"""Of the parts. Another one is forgotten, and made again from the log."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What has been reported of one alert on one channel."""

    thread: str
    """The first notification of the episode: the others answer it."""
    at: datetime
    delivered: bool = False
    dead: bool = False
    """The last notification about it could not be sent, and is not tried again."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is open, or that is over and not everybody knows."""

    alert_id: str
    site: str
    project: str
    fingerprint: str
    code: str
    category: str
    severity: str
    message: str
    advice: str
    docs: str
    first_seen: datetime
    last_seen: datetime
    count: int
    raised_at: datetime
    resolved_at: datetime | None = None
    end: str = ""
    resolution: str = ""
    acknowledged: bool = False
    reports: dict[str, Report] = msgspec.field(default={}, name="told")
    """By channel."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message on one channel, as it was decided: what happens later does not change its text.

    The names under which its fields are stored are those of earlier versions; so are those of the other structs.
    """

    notification_id: str = msgspec.field(name="notice_id")
    channel: str
    reason: NotificationReason
    site: str
    at: datetime
    thread: str = ""
    """The notification that this one answers; empty for the first of its thread."""
    alerts: tuple[Alert, ...] = ()
    remarks: tuple[str, ...] = ()
    """Lines that stand before the alerts."""
    to: tuple[str, ...] = ()
    """Empty: whom the channel is set up for."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A notification on its way."""

    notification: Notification = msgspec.field(name="notice")
    next_at: datetime
    since: datetime
    """When it was tried first, or redriven: it is given up so long after that."""
    attempts: int = 0
    remaining: tuple[str, ...] = ()
    """Recipients that are still to be reached; empty: all."""
    taken: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    dead: bool = False
    by_hand: bool = False
    """Somebody waits for its outcome: it is tried even while the channel's breaker is open."""


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a channel works."""

    failures: int = 0
    """In a row, of the kind that says the channel itself does not work."""
    open_until: datetime | None = msgspec.field(default=None, name="closed_until")
    """Until then nothing is sent by it."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    alerts: dict[str, Alert] = {}
    outbox: dict[str, Pending] = {}
    """By notification id, dead letters included."""
    silences: dict[str, datetime] = {}
    """Until when, by site, project and code; a code of * stands for all."""
    raises: dict[str, tuple[datetime, ...]] = {}
    """When an alert was raised lately, by fingerprint."""
    sent: dict[str, tuple[datetime, ...]] = {}
    """When notifications went out lately, by channel and site."""
    breakers: dict[str, Breaker] = {}


def silence_key(site: str, project: str, code: str | None) -> str:
    return f"{site}/{project}/{code or '*'}"


def with_alert(state: State, alert: Alert) -> State:
    return msgspec.structs.replace(state, alerts={**state.alerts, alert.alert_id: alert})


def with_pending(state: State, pending: Pending) -> State:
    return msgspec.structs.replace(state, outbox={**state.outbox, pending.notification.notification_id: pending})
