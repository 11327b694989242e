"""The notifier's decisions without its I/O: a clock that only tests move, and channels that do as they are told."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from libs.events import Event, FailureKind, NotificationFailed, NotificationSent
from services.notifier.delivery.retries import next_attempt, outcome, ready
from services.notifier.fold import fold
from services.notifier.message.render import subject_of
from services.notifier.message.types import Failure, Result
from services.notifier.policy.due import decided, next_moment
from services.notifier.policy.rules import DEFAULT, Policy
from services.notifier.state import Notification, Pending, State
from tests.unit.made.alerts import THEN

EVERY = frozenset({"email", "slack", "whatsapp"})


class World:
    """One notifier: `tell` it events, let time `pass_to` a moment, look at what was `sent`."""

    def __init__(self, policy: Policy = DEFAULT, channels: frozenset[str] = EVERY, now: datetime = THEN) -> None:
        self.policy, self.channels, self.now = policy, channels, now
        self.state = State()
        self.planned: list[Notification] = []
        self.outcomes: list[NotificationSent | NotificationFailed] = []
        self.broken: dict[str, FailureKind] = {}
        """Channels that fail, and how."""

    @property
    def sent(self) -> list[Notification]:
        """What arrived, in order."""
        by_id = {notification.notification_id: notification for notification in self.planned}
        return [by_id[one.notification_id] for one in self.outcomes if isinstance(one, NotificationSent)]

    def reported(self, channel: str | None = None) -> list[tuple[str, str]]:
        """Channel and reason of what arrived."""
        return [(one.channel, str(one.reason)) for one in self.sent if channel in (None, one.channel)]

    def tell(self, *events: Event) -> None:
        """Events come at their times; what is due before them is done before."""
        for event in events:
            if event.recorded_at > self.now:
                self.pass_to(event.recorded_at)
            self.state = fold(self.state, event)
        self._work()

    def pass_to(self, moment: datetime) -> None:
        """Time goes on, waking whenever the notifier wants to be woken."""
        self._work()
        for _ in range(100_000):
            wanted = [
                at
                for at in (
                    next_moment(self.state, self.policy, self.channels, self.now),
                    next_attempt(self.state, self.now),
                )
                if at is not None and at <= moment
            ]
            if not wanted:
                self.now = max(self.now, moment)
                self._work()
                return
            self.now = min(wanted)
            self._work()
        raise AssertionError("the notifier wants to be woken without end")

    def _work(self) -> None:
        for _ in range(1000):
            self.state, notifications = decided(self.state, self.policy, self.channels, self.now)
            known = {one.notification_id for one in self.planned}
            assert not known & {one.notification_id for one in notifications}, "a notification is decided twice"
            self.planned += notifications
            waiting = ready(self.state, {}, self.now)
            if not waiting:
                return
            self._attempt(waiting[0])
        raise AssertionError("the notifier sends without end")

    def _attempt(self, pending: Pending) -> None:
        kind = self.broken.get(pending.notification.channel)
        result = (
            Result(taken=("somebody",))
            if kind is None
            else Result(failures=(Failure(kind=kind, code="BROKEN", message="broken", advice="repair it"),))
        )
        event = outcome(pending, result, subject_of(pending.notification), ("somebody",), self.now)
        event = msgspec.structs.replace(event, recorded_at=self.now)
        self.outcomes.append(event)
        self.state = fold(self.state, event)

    def after(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self.pass_to(self.now + timedelta(seconds=seconds, minutes=minutes, hours=hours))
