"""What is reported where and when: the policy at work, with a clock that only the test moves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.events import AlertEnd, FailureKind, NotificationReason
from libs.jira_client.failures.errors import Category, ErrorCode
from services.notifier.policy.rules import DEFAULT, SECURITY, Inhibition, Match, Policy, QuietHours
from services.notifier.state import Notification
from tests.unit.made.alerts import acknowledged, at, raised, repeated, resolved, silenced
from tests.unit.services.notifier.world import EVERY, World


def projects(notification: Notification) -> list[str]:
    return sorted(alert.project for alert in notification.alerts)


ROUTES = {
    "SUSPENDED_PAYMENT": ["email", "whatsapp"],
    "SITE_SUSPENDED": ["email", "whatsapp"],
    "AUTH_EXPIRED": ["email"],
    "OAUTH_REFUSED": ["email"],
    "FORBIDDEN": ["email"],
    "NOT_FOUND_OR_HIDDEN": ["email"],
    "BAD_REQUEST": ["email"],
    "API_GONE": ["email", "slack"],
    "RATE_LIMIT": ["slack"],
    "QUOTA_EXHAUSTED": ["slack"],
    "NETWORK_GLITCH": ["slack"],
    "TIMEOUT": ["slack"],
    "UPSTREAM_ERROR": ["slack"],
    "BAD_RESPONSE": ["email"],
    "TLS_INVALID": ["email"],
    "STORE_DOWN": ["email", "slack"],
    "STORE_FULL": ["email", "slack"],
    "POISON_EVENT": ["email"],
    "SLOW_SUCCESS": ["slack"],
    "INGESTOR_DOWN": ["email", "slack"],
    "RUN_LOST": ["email"],
    "FOREIGN_MESSAGE": ["email"],
    "STREAM_GAP": ["email"],
    "LOG_BEHIND_STREAM": ["email", "slack"],
    "FORGED_COMMAND": ["email", "slack"],
    "MASS_REMOVAL": ["email", "slack"],
    "UNPROVED": ["email"],
    "WEBHOOKS_SILENT": ["slack"],
    "WEBHOOKS_REFUSED": ["slack"],
    "UNEXPLAINED_DIFFERENCE": ["email"],
    "UNKNOWN": ["email"],
}


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_its_channels(code: str) -> None:
    world = World()
    world.tell(raised("a", code=code))
    world.after(hours=1)
    assert sorted(one.channel for one in world.sent) == ROUTES[code]


def test_limits_are_reported_only_when_they_last() -> None:
    world = World()
    first = raised("a", code="RATE_LIMIT")
    world.tell(first)
    world.pass_to(at(minutes=29))
    assert world.sent == []
    world.pass_to(at(minutes=31))
    assert world.reported() == [("slack", "FIRST")]
    short = World()
    short.tell(first)
    short.tell(resolved(first, at(minutes=29)))
    short.after(hours=9)
    assert short.sent == []


def test_only_channels_that_are_set_up_are_used_and_the_default_stands_in() -> None:
    mail_only = World(channels=frozenset({"email"}))
    mail_only.tell(raised("a", code="SUSPENDED_PAYMENT"), raised("b", site="other", code="SLOW_SUCCESS"))
    mail_only.after(hours=1)
    assert [(one.channel, one.site) for one in mail_only.sent] == [("email", "acme"), ("email", "other")]


def test_with_nothing_set_up_nothing_piles_up() -> None:
    world = World(channels=frozenset())
    first = raised("a")
    world.tell(first)
    world.after(hours=9)
    assert (world.planned, world.state.outbox) == ([], {})
    world.tell(resolved(first, at(hours=9)))
    assert world.state.alerts == {}


def test_alerts_of_one_site_and_code_share_a_notification() -> None:
    world = World()
    world.tell(
        raised("a", at(0), project="ALPHA"), raised("b", at(3), project="BETA"), raised("x", at(3), site="other")
    )
    world.after(minutes=1)
    assert [(one.site, projects(one)) for one in world.sent] == [("acme", ["ALPHA", "BETA"]), ("other", ["ALPHA"])]


def test_who_joins_later_comes_with_the_next_notification_of_the_thread() -> None:
    world = World()
    world.tell(raised("a", at(0), code="FORBIDDEN"))
    later = [
        raised(name, at(60), project=project, code="FORBIDDEN") for name, project in (("b", "BETA"), ("c", "GAMMA"))
    ]
    world.tell(*later)
    world.after(minutes=10)
    first, more = world.sent
    assert (more.reason, projects(more), more.thread) == (
        NotificationReason.MORE,
        ["BETA", "GAMMA"],
        first.notification_id,
    )
    assert more.at == at(305)  # five minutes after the first
    assert "1 other alert of this kind" in more.remarks[0]


@pytest.mark.parametrize("code", ["AUTH_EXPIRED", "NETWORK_GLITCH", "SUSPENDED_PAYMENT", "INGESTOR_DOWN"])
def test_a_cause_of_the_whole_site_is_told_once_however_many_projects_meet_it(code: str) -> None:
    world = World()
    first = raised("a", at(0), code=code)
    world.tell(first)
    world.after(minutes=1)
    told = list(world.sent)
    others = [raised(f"o{n}", at(minutes=2 + n), code=code, project=f"P{n}") for n in range(50)]
    world.tell(*others)
    world.after(minutes=30)
    assert told
    assert world.sent == told
    world.tell(*(resolved(one, at(hours=2)) for one in (first, *others)))
    world.after(hours=1)
    assert {(one.reason, *projects(one)) for one in world.sent[len(told) :]} == {(NotificationReason.RESOLVED, "ALPHA")}
    assert world.state.alerts == {}


def test_what_is_open_after_the_alert_that_was_told_is_told_then() -> None:
    world = World()
    first = raised("a", at(0), code="AUTH_EXPIRED")
    world.tell(first, raised("b", at(60), code="AUTH_EXPIRED", project="BETA"))
    world.after(minutes=30)
    world.tell(resolved(first, at(hours=1)))
    world.after(minutes=30)
    assert [(str(one.reason), projects(one)) for one in world.sent] == [
        ("FIRST", ["ALPHA"]),
        ("FIRST", ["BETA"]),
        ("RESOLVED", ["ALPHA"]),
    ]


def test_a_cause_of_the_whole_site_is_told_again_where_the_first_message_never_arrived() -> None:
    world = World(channels=frozenset({"email"}))
    world.broken["email"] = FailureKind.CONFIG
    world.tell(raised("a", at(0), code="AUTH_EXPIRED"))
    world.after(minutes=1)
    del world.broken["email"]
    world.tell(raised("b", at(minutes=2), code="AUTH_EXPIRED", project="BETA"))
    world.after(minutes=30)
    assert [projects(one) for one in world.sent] == [["BETA"]]


def test_critical_alerts_wait_less() -> None:
    world = World()
    world.tell(raised("a", at(0), code="AUTH_EXPIRED"), raised("b", at(0), code="SLOW_SUCCESS"))
    world.after(hours=1)
    assert [(one.channel, one.at) for one in world.sent] == [("email", at(5)), ("slack", at(30))]


def test_what_is_over_before_the_group_wait_is_never_reported() -> None:
    world = World()
    first = raised("a", code="UPSTREAM_ERROR")
    world.tell(first)
    world.tell(resolved(first, at(29)))
    world.after(hours=9)
    assert world.planned == []


def test_the_end_is_reported_in_the_thread_with_what_it_took() -> None:
    world = World()
    first = raised("a", code="SUSPENDED_PAYMENT")
    world.tell(first)
    world.after(minutes=1)
    world.tell(resolved(first, at(hours=2, minutes=13)))
    world.after(minutes=1)
    for channel in ("email", "whatsapp"):
        opening, over = (one for one in world.sent if one.channel == channel)
        assert (over.reason, over.thread) == (NotificationReason.RESOLVED, opening.notification_id)
    assert world.state.alerts == {}


def test_those_who_joined_end_in_the_thread_they_joined() -> None:
    world = World()
    alerts = [raised("a", at(0), code="FORBIDDEN"), raised("b", at(60), project="BETA", code="FORBIDDEN")]
    world.tell(*alerts)
    world.after(minutes=10)
    world.tell(*(resolved(one, at(hours=1)) for one in alerts))
    world.after(minutes=10)
    assert world.reported() == [("email", "FIRST"), ("email", "MORE"), ("email", "RESOLVED")]
    first, _, over = world.sent
    assert (over.thread, projects(over)) == (first.notification_id, ["ALPHA", "BETA"])


def test_the_end_of_what_never_arrived_is_not_reported() -> None:
    world = World(channels=frozenset({"email"}))
    world.broken["email"] = FailureKind.CONFIG
    first = raised("a")
    world.tell(first)
    world.after(minutes=1)
    del world.broken["email"]
    world.tell(resolved(first, at(hours=1)))
    world.after(hours=9)
    assert [one.reason for one in world.planned] == [NotificationReason.FIRST]
    assert world.state.alerts == {}


def test_resolved_notifications_can_be_turned_off() -> None:
    world = World(policy=Policy(send_resolved=False))
    first = raised("a")
    world.tell(first)
    world.after(minutes=1)
    world.tell(resolved(first, at(hours=1)))
    world.after(hours=1)
    assert world.reported() == [("email", "FIRST")]


def test_open_alerts_are_reported_again_and_acknowledged_ones_are_not() -> None:
    world = World()
    first = raised("a")
    world.tell(first)
    world.after(hours=9)
    assert [one.reason for one in world.sent] == [
        NotificationReason.FIRST,
        NotificationReason.REPEAT,
        NotificationReason.REPEAT,
    ]
    assert len({one.notification_id for one in world.sent}) == 3
    assert {one.thread for one in world.sent[1:]} == {world.sent[0].notification_id}
    world.tell(acknowledged(first, world.now))
    world.after(hours=48)
    assert len(world.sent) == 3
    world.tell(resolved(first, world.now, AlertEnd.BY_HAND))
    world.after(minutes=10)
    assert world.sent[-1].reason is NotificationReason.RESOLVED


def test_who_acknowledges_at_once_is_not_reported() -> None:
    world = World()
    first = raised("a", code="SLOW_SUCCESS")
    world.tell(first)
    world.tell(acknowledged(first, at(10)))
    world.after(hours=9)
    assert world.planned == []


@pytest.mark.parametrize("code", [None, "UPSTREAM_ERROR"])
def test_a_silence_holds_back_until_it_is_over_or_lifted(code: str | None) -> None:
    first = raised("a", at(1), code="UPSTREAM_ERROR")
    world = World()
    world.tell(silenced(first, at(0), at(hours=2), code))
    world.tell(first)
    world.pass_to(at(hours=1, minutes=59))
    assert world.planned == []
    world.pass_to(at(hours=2, minutes=1))
    assert world.reported() == [("slack", "FIRST")]

    lifted = World()
    lifted.tell(silenced(first, at(0), at(hours=2), code))
    lifted.tell(first)
    lifted.tell(silenced(first, at(minutes=10), at(minutes=10), code))
    lifted.after(minutes=1)
    assert lifted.reported() == [("slack", "FIRST")]


def test_a_silence_is_of_one_project_and_code() -> None:
    world = World()
    first = raised("a", code="UPSTREAM_ERROR")
    world.tell(silenced(first, at(0), at(hours=2), "TIMEOUT"))
    world.tell(first, raised("b", project="BETA", code="TIMEOUT"), raised("c", code="TIMEOUT"))
    world.after(hours=1)
    assert [(alert.project, alert.code) for one in world.sent for alert in one.alerts] == [
        ("BETA", "TIMEOUT"),
        ("ALPHA", "UPSTREAM_ERROR"),
    ]


def test_the_end_of_what_was_silenced_meanwhile_is_not_reported() -> None:
    world = World()
    first = raised("a")
    world.tell(first)
    world.after(minutes=1)
    world.tell(silenced(first, world.now, at(hours=2)))
    world.tell(resolved(first, at(hours=1)))
    world.after(hours=9)
    assert world.reported() == [("email", "FIRST")]
    assert world.state.alerts == {}


def test_a_billing_alert_holds_back_the_others_of_its_site_alone() -> None:
    world = World()
    billing = raised("a", code="SUSPENDED_PAYMENT")
    world.tell(billing, raised("b", project="BETA"), raised("c", site="other"), raised("d", code="STORE_FULL"))
    world.after(hours=1)
    assert sorted({(one.site, one.alerts[0].code) for one in world.sent}) == [
        ("acme", "SUSPENDED_PAYMENT"),
        ("other", "AUTH_EXPIRED"),
    ]
    world.tell(resolved(billing, world.now))
    world.after(minutes=1)
    assert {one.alerts[0].code for one in world.sent if one.site == "acme"} == {"SUSPENDED_PAYMENT", "STORE_FULL"}


@pytest.mark.parametrize("other", ["SUSPENDED_PAYMENT", "STORE_FULL"])
@pytest.mark.parametrize("code", sorted(SECURITY))
def test_nothing_holds_back_what_somebody_else_has_done(code: str, other: str) -> None:
    world = World()
    world.tell(raised("a", code=other), raised("b", at(60), project="", code=code))
    world.after(hours=1)
    assert sorted(one.channel for one in world.sent if one.alerts[0].code == code) == ROUTES[code]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Match(), True),
        (Match(categories=(Category.ACCESS,)), True),
        (Match(codes=(ErrorCode.FORGED_COMMAND,)), False),
    ],
)
def test_only_a_policy_that_names_its_code_holds_it_back(target: Match, *, told: bool) -> None:
    inhibit = (Inhibition(source=Match(codes=(ErrorCode.STORE_DOWN,)), target=target),)
    world = World(policy=Policy(routes=DEFAULT.routes, inhibit=inhibit))
    world.tell(raised("a", code="STORE_DOWN"), raised("b", at(60), project="", code="FORGED_COMMAND"))
    world.after(hours=1)
    assert told == any(one.alerts[0].code == "FORGED_COMMAND" for one in world.sent)


NIGHT = QuietHours(start="22:00", end="07:00", timezone="Europe/Berlin")


def test_quiet_hours_wait_for_their_end_but_not_for_what_is_critical() -> None:
    evening = at(hours=9, minutes=30)  # 22:30 in Berlin
    world = World(policy=Policy(routes=DEFAULT.routes, quiet_hours=(NIGHT,)), now=evening)
    world.tell(raised("a", evening, code="SLOW_SUCCESS"), raised("b", evening, project="BETA", code="AUTH_EXPIRED"))
    over = raised("c", evening, project="GAMMA", code="UPSTREAM_ERROR")
    world.tell(over)
    world.tell(resolved(over, at(hours=11)))
    world.pass_to(at(hours=17, minutes=59))
    assert world.reported() == [("email", "FIRST"), ("email", "REPEAT"), ("email", "REPEAT")]
    world.pass_to(at(hours=18, minutes=1))
    assert [projects(one) for one in world.sent if one.channel == "slack"] == [["ALPHA"]]


def test_quiet_hours_may_be_of_one_channel() -> None:
    evening = at(hours=10)
    quiet = QuietHours(start="22:00", end="07:00", timezone="Europe/Berlin", channels=("slack",))
    world = World(policy=Policy(routes=DEFAULT.routes, quiet_hours=(quiet,)), now=evening)
    world.tell(raised("a", evening, code="SLOW_SUCCESS"), raised("b", evening, code="UNKNOWN"))
    world.pass_to(at(hours=11))
    assert world.reported() == [("email", "FIRST")]


def test_what_flaps_is_reported_when_it_stays() -> None:
    world = World()
    for number in range(6):
        one = raised(f"a{number}", world.now, code="UPSTREAM_ERROR")
        world.tell(one)
        world.after(minutes=2)
        world.tell(resolved(one, world.now))
        world.after(minutes=2)
    assert world.reported() == [("slack", "FIRST"), ("slack", "RESOLVED")] * 2
    world.tell(raised("stays", world.now, code="UPSTREAM_ERROR"))
    world.after(minutes=16)
    assert world.reported()[4:] == [("slack", "FIRST")]


def test_a_site_has_its_share_and_the_rest_comes_in_one_digest() -> None:
    world = World(policy=Policy(rate_limit_per_hour=3))
    codes = ["NETWORK_GLITCH", "TIMEOUT", "UPSTREAM_ERROR", "BAD_RESPONSE", "SLOW_SUCCESS", "RATE_LIMIT"]
    alerts = [raised(f"a{number}", at(number), code=code) for number, code in enumerate(codes)]
    world.tell(*alerts)
    world.tell(raised("urgent", at(20), code="AUTH_EXPIRED"), raised("elsewhere", at(20), site="other", code="UNKNOWN"))
    world.pass_to(at(minutes=59))
    assert len([one for one in world.sent if one.site == "acme"]) == 3
    assert len([one for one in world.sent if one.site == "other"]) == 1
    world.tell(resolved(alerts[0], at(minutes=59)))
    world.pass_to(at(minutes=70))
    digest = next(one for one in world.sent if one.reason is NotificationReason.DIGEST)
    reported = [alert.alert_id for one in world.sent for alert in one.alerts if alert.resolved_at is None]
    assert len(reported) == len(set(reported)) == 8
    assert "Held back" in digest.remarks[0]
    first = next(one for one in world.sent if one.site == "acme")
    assert digest.at == first.at + timedelta(hours=1), "as soon as there is room"


def test_more_failures_of_an_open_alert_are_no_news() -> None:
    world = World()
    first = raised("a")
    world.tell(first)
    world.after(minutes=1)
    world.tell(*(repeated(first, at(minutes=10 * number), 3 + number) for number in range(1, 10)))
    assert world.reported() == [("email", "FIRST")]
    world.pass_to(at(hours=5))
    assert world.sent[-1].alerts[0].count == 12


@pytest.mark.parametrize("kind", [FailureKind.CONFIG, FailureKind.PERMANENT, FailureKind.REJECTED_RECIPIENT])
def test_when_a_channel_is_broken_its_stand_in_tells_and_says_why(kind: FailureKind) -> None:
    world = World(channels=frozenset({"slack", "email"}))
    world.broken["slack"] = kind
    first = raised("a", code="UPSTREAM_ERROR")
    world.tell(first)
    world.after(minutes=1)
    assert world.reported() == [("email", "FIRST")]
    assert "slack does not work" in world.sent[0].remarks[0]
    assert [one.channel for one in world.planned] == ["slack", "email"], "the broken channel is not tried for it again"
    world.tell(resolved(first, at(hours=1)))
    world.after(hours=1)
    assert world.reported() == [("email", "FIRST"), ("email", "RESOLVED")]


def test_a_channel_that_fails_for_a_while_has_its_stand_in_and_tells_itself_when_it_is_back() -> None:
    world = World(channels=frozenset({"slack", "email"}))
    world.broken["slack"] = FailureKind.TRANSIENT
    first = raised("a", code="UPSTREAM_ERROR")
    world.tell(first)
    world.pass_to(at(minutes=9))
    assert world.sent == []
    world.pass_to(at(minutes=12))
    assert world.reported() == [("email", "FIRST")]
    world.tell(resolved(first, at(hours=1)))
    world.pass_to(at(hours=1, minutes=5))
    del world.broken["slack"]
    world.pass_to(at(hours=2))
    assert world.reported("slack") == [("slack", "FIRST"), ("slack", "RESOLVED")]
    assert world.reported("email") == [("email", "FIRST"), ("email", "RESOLVED")]


def test_channels_that_stand_in_for_each_other_and_are_both_broken_come_to_rest() -> None:
    world = World(channels=frozenset({"slack", "email"}))
    world.broken = {"slack": FailureKind.CONFIG, "email": FailureKind.CONFIG}
    world.tell(raised("a", code="UPSTREAM_ERROR"))
    world.after(hours=3)
    assert [one.channel for one in world.planned] == ["slack", "email"]
    world.broken = {}
    world.after(hours=2)  # the reminder tells at last
    assert sorted(world.reported()) == [("email", "REPEAT"), ("slack", "REPEAT")]


def test_billing_goes_to_both_and_needs_no_stand_in() -> None:
    world = World(channels=EVERY)
    world.broken["whatsapp"] = FailureKind.CONFIG
    world.tell(raised("a", code="SUSPENDED_PAYMENT"))
    world.after(hours=1)
    assert world.reported() == [("email", "FIRST")]


def test_a_channel_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    world = World(channels=frozenset({"slack"}))
    world.broken["slack"] = FailureKind.TRANSIENT
    for number in range(30):
        world.tell(raised(f"a{number}", at(number), site=f"site-{number}", code="UPSTREAM_ERROR"))
    world.after(hours=1)
    assert len(world.outcomes) < 30, "each notification waits for the channel, not for its own clock"
    del world.broken["slack"]
    world.after(hours=1)
    assert len(world.sent) == 30
