"""What holds whatever happens: any order of alerts, people, hours and failing channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import AlertEnd, AlertRaised, FailureKind, NotificationReason, NotificationSent
from services.notifier.policy.rules import DEFAULT, Policy, QuietHours
from services.notifier.state import Alert, Notification
from tests.unit.made.alerts import THEN, acknowledged, alert_id, raised, repeated, resolved, silenced
from tests.unit.services.notifier.world import World

CODES = ("SUSPENDED_PAYMENT", "AUTH_EXPIRED", "RATE_LIMIT", "UPSTREAM_ERROR", "SLOW_SUCCESS")
POLICIES = (
    DEFAULT,
    Policy(routes=DEFAULT.routes, fallback=DEFAULT.fallback, inhibit=DEFAULT.inhibit, rate_limit_per_hour=2),
    Policy(
        routes=DEFAULT.routes,
        fallback=DEFAULT.fallback,
        group_wait_seconds=0,
        critical_wait_seconds=0,
        quiet_hours=(QuietHours(start="13:00", end="15:30", timezone="UTC", days=("wed", "thu")),),
    ),
)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), st.integers(0, 3), st.sampled_from(CODES)),
        st.tuples(st.just("resolve"), st.integers(0, 9), st.sampled_from(list(AlertEnd))),
        st.tuples(st.just("repeat"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("acknowledge"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("silence"), st.integers(0, 9), st.sampled_from((0, 1, 90))),
        st.tuples(st.just("wait"), st.sampled_from((1, 10, 40, 400, 4000, 20_000)), st.just("")),
        st.tuples(
            st.just("break"), st.sampled_from(("email", "slack", "whatsapp")), st.sampled_from(list(FailureKind))
        ),
        st.tuples(st.just("repair"), st.sampled_from(("email", "slack", "whatsapp")), st.just("")),
    ),
    max_size=25,
)


class Story:
    """A world, and what has happened in it."""

    def __init__(self, policy: Policy) -> None:
        self.world = World(policy=policy)
        self.alerts: dict[str, AlertRaised] = {}
        self.opened: dict[tuple[str, str], str] = {}
        self.unreported: set[str] = set()
        """Alerts that were acknowledged before they were reported."""

    def play(self, acts: Iterable[tuple[str, Any, Any]]) -> Story:
        """Let all of it happen, each act a second after the one before."""
        for number, (act, which, how) in enumerate(acts):
            self.world.after(seconds=1)
            if act == "wait":
                self.world.after(seconds=which)
            elif act == "break":
                self.world.broken[which] = how
            elif act == "repair":
                self.world.broken.pop(which, None)
            elif act == "raise":
                self._raise(str(number), f"P{which}", how)
            elif self.opened:
                self._change(act, list(self.opened.values())[which % len(self.opened)], how)
        return self

    def _raise(self, name: str, project: str, code: str) -> None:
        if (project, code) not in self.opened:
            event = raised(name, self.world.now, project=project, code=code)
            self.alerts[event.alert_id] = event
            self.opened[project, code] = event.alert_id
            self.world.tell(event)

    def _change(self, act: str, alert: str, how: Any) -> None:
        event, now = self.alerts[alert], self.world.now
        if act == "resolve":
            del self.opened[event.project, event.code]
            self.world.tell(resolved(event, now, how))
        elif act == "repeat":
            self.world.tell(repeated(event, now))
        elif act == "silence":
            self.world.tell(silenced(event, now, now + timedelta(minutes=how)))
        else:
            if not any(alert in ids(notification) for notification in self.world.planned):
                self.unreported.add(alert)
            self.world.tell(acknowledged(event, now))


def ids(notification: Notification) -> set[str]:
    return {alert.alert_id for alert in notification.alerts}


def reports_of(world: World) -> list[tuple[str, str, str, Notification]]:
    """Channel, alert and what was reported of it (open, over or again), notification by notification."""
    return [
        (notification.channel, alert.alert_id, what(notification, alert), notification)
        for notification in world.planned
        for alert in notification.alerts
    ]


def what(notification: Notification, alert: Alert) -> str:
    if notification.reason is NotificationReason.REPEAT:
        return "again"
    return "open" if alert.resolved_at is None else "over"


@given(steps, st.sampled_from(POLICIES))
@settings(max_examples=150, deadline=None)
def test_each_change_is_reported_once_a_channel_and_in_order(acts: list[tuple[str, Any, Any]], policy: Policy) -> None:
    story = Story(policy).play(acts)
    world = story.world
    world.after(hours=2)
    reports = reports_of(world)
    counted = Counter((channel, alert, change) for channel, alert, change, _ in reports if change != "again")
    assert all(number == 1 for number in counted.values()), "one change was reported twice on a channel"
    assert len({notification.notification_id for notification in world.planned}) == len(world.planned)
    delivered = {one.notification_id for one in world.outcomes if isinstance(one, NotificationSent)}
    for place, (channel, alert, change, notification) in enumerate(reports):
        before = [one for one in reports[:place] if one[:2] == (channel, alert)]
        if change in ("over", "again"):
            assert before, "an alert was reported to be over, or open still, that was never reported"
        if change == "over":
            assert any(one[3].notification_id in delivered for one in before)
            if notification.reason is NotificationReason.RESOLVED:
                assert notification.thread in {one[3].notification_id for one in reports[:place]} | {
                    one[3].thread for one in before
                }
    assert not story.unreported & {alert for _, alert, _, _ in reports}


@given(steps, st.sampled_from(POLICIES))
@settings(max_examples=60, deadline=None)
def test_when_all_works_again_and_all_is_over_nothing_is_left(acts: list[tuple[str, Any, Any]], policy: Policy) -> None:
    story = Story(policy).play(acts)
    world = story.world
    world.broken.clear()
    world.tell(*(resolved(event, world.now) for event in story.alerts.values() if event.alert_id in world.state.alerts))
    world.after(hours=72)
    assert world.state.alerts == {}
    assert all(pending.dead for pending in world.state.outbox.values())


@given(st.integers(0, 10_000))
def test_an_id_of_a_notification_depends_on_what_it_reports_alone(seconds: int) -> None:
    """Whoever decides it and whenever: a decision that is made again after a crash gives the same message."""
    first, second = World(), World()
    first.tell(raised("a", THEN), raised("b", THEN, project="BETA"))
    second.tell(raised("b", THEN, project="BETA"), raised("a", THEN))
    first.after(minutes=1)
    second.now = second.now.replace(microsecond=seconds)
    second.after(minutes=1)
    assert [one.notification_id for one in first.planned] == [one.notification_id for one in second.planned]
    assert ids(first.planned[0]) == {alert_id("a"), alert_id("b")}
