"""What holds whatever happens: any order of alerts, people, hours and failing channels."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import AlertEnd, AlertRaised, FailureKind, NoticeReason, NotificationSent
from services.notifier.policy import DEFAULT, Policy, QuietHours
from services.notifier.state import Notice
from tests.unit.notifier.made import THEN, acknowledged, alert_id, raised, repeated, resolved, silenced
from tests.unit.notifier.world import World

CODES = ("SUSPENDED_PAYMENT", "AUTH_EXPIRED", "RATE_LIMIT", "UPSTREAM_ERROR", "SLOW_SUCCESS")
POLICIES = (
    DEFAULT,
    Policy(routes=DEFAULT.routes, fallback=DEFAULT.fallback, inhibit=DEFAULT.inhibit, cap_per_hour=2),
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


def played(story: list[tuple[str, object, object]], policy: Policy) -> tuple[World, dict[str, AlertRaised], set[str]]:
    """A world after a story; the alerts that were raised, and those that were acknowledged before they were told."""
    world = World(policy=policy)
    alerts: dict[str, AlertRaised] = {}
    opened: dict[tuple[str, str], str] = {}
    untold: set[str] = set()
    for number, (act, which, how) in enumerate(story):
        world.pass_to(world.now + timedelta(seconds=1))
        if act == "wait":
            assert isinstance(which, int)
            world.after(seconds=which)
        elif act == "break":
            world.broken[str(which)] = FailureKind(str(how))
        elif act == "repair":
            world.broken.pop(str(which), None)
        elif act == "raise" and (f"P{which}", str(how)) not in opened:
            event = raised(f"{number}", world.now, project=f"P{which}", code=str(how))
            alerts[event.alert_id] = event
            opened[event.project, event.code] = event.alert_id
            world.tell(event)
        elif act != "raise" and opened:
            assert isinstance(which, int)
            event = alerts[list(opened.values())[which % len(opened)]]
            if act == "resolve":
                del opened[event.project, event.code]
                world.tell(resolved(event, world.now, AlertEnd(str(how))))
            elif act == "repeat":
                world.tell(repeated(event, world.now))
            elif act == "acknowledge":
                if not any(event.alert_id in ids(one) for one in world.planned):
                    untold.add(event.alert_id)
                world.tell(acknowledged(event, world.now))
            else:
                assert isinstance(how, int)
                world.tell(silenced(event, world.now, world.now + timedelta(minutes=how)))
    return world, alerts, untold


def ids(notice: Notice) -> set[str]:
    return {alert.alert_id for alert in notice.alerts}


def told_of(world: World) -> list[tuple[str, str, str, Notice]]:
    """Channel, alert and what was said of it (open, over or again), notice by notice."""
    return [
        (
            notice.channel,
            alert.alert_id,
            "again" if notice.reason is NoticeReason.REPEAT else "open" if alert.resolved_at is None else "over",
            notice,
        )
        for notice in world.planned
        for alert in notice.alerts
    ]


@given(steps, st.sampled_from(POLICIES))
@settings(max_examples=150, deadline=None)
def test_each_change_is_told_once_a_channel_and_in_order(
    story: list[tuple[str, object, object]], policy: Policy
) -> None:
    world, _, untold = played(story, policy)
    world.after(hours=2)
    said = told_of(world)
    counted = Counter((channel, alert, what) for channel, alert, what, _ in said if what != "again")
    assert all(number == 1 for number in counted.values()), "one change was told twice on a channel"
    assert len({notice.notice_id for notice in world.planned}) == len(world.planned)
    delivered = {one.notice_id for one in world.outcomes if isinstance(one, NotificationSent)}
    for place, (channel, alert, what, notice) in enumerate(said):
        before = [one for one in said[:place] if one[:2] == (channel, alert)]
        if what in ("over", "again"):
            assert before, "an alert was told to be over or open still that was never told"
        if what == "over":
            assert any(one[3].notice_id in delivered for one in before)
            if notice.reason is NoticeReason.RESOLVED:
                assert notice.thread in {one[3].notice_id for one in said[:place]} | {one[3].thread for one in before}
    assert not untold & {alert for _, alert, _, _ in said}


@given(steps, st.sampled_from(POLICIES))
@settings(max_examples=60, deadline=None)
def test_when_all_works_again_and_all_is_over_nothing_is_left(
    story: list[tuple[str, object, object]], policy: Policy
) -> None:
    world, alerts, _ = played(story, policy)
    world.broken.clear()
    world.tell(*(resolved(event, world.now) for event in alerts.values() if event.alert_id in world.state.alerts))
    world.after(hours=72)
    assert world.state.alerts == {}
    assert all(pending.dead for pending in world.state.outbox.values())


@given(st.integers(0, 10_000))
def test_an_id_of_a_notice_depends_on_what_it_says_alone(seconds: int) -> None:
    """Whoever decides it and whenever: a decision that is made again after a crash gives the same message."""
    first, second = World(), World()
    first.tell(raised("a", THEN), raised("b", THEN, project="BETA"))
    second.tell(raised("b", THEN, project="BETA"), raised("a", THEN))
    first.after(minutes=1)
    second.now = second.now.replace(microsecond=seconds)
    second.after(minutes=1)
    assert [one.notice_id for one in first.planned] == [one.notice_id for one in second.planned]
    assert ids(first.planned[0]) == {alert_id("a"), alert_id("b")}
