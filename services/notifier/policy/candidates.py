"""Everything that could be said, and when: alerts in groups of one site and code, channel by channel. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from libs.events import NotificationReason
from services.notifier.message.text import counted
from services.notifier.policy.quiet_hours import quiet_until
from services.notifier.policy.rules import Policy, delays_of, routes_of
from services.notifier.policy.suppression import (
    LONG_AGO,
    fails,
    flaps,
    inhibited,
    is_critical,
    silenced_until,
    unsettled,
)
from services.notifier.state import Alert, State


class Candidate(NamedTuple):
    """A notice that is due at some time, as things stand."""

    at: datetime
    """When it is due; in the future, its alerts are those that it would tell of if nothing changes."""
    channel: str
    site: str
    reason: NotificationReason
    alerts: tuple[Alert, ...]
    thread: str
    urgent: bool
    remarks: tuple[str, ...] = ()


def candidates(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> Iterator[Candidate]:
    """Everything that could be said, group by group: alerts of one site and code on one channel."""
    groups: dict[tuple[str, str], list[Alert]] = {}
    for alert in state.alerts.values():
        groups.setdefault((alert.site, alert.code), []).append(alert)
    waiting, held_back = unsettled(state), inhibited(state, policy)
    for members in groups.values():
        delays = {alert.alert_id: delays_for(alert, policy, channels) for alert in members}
        for channel in sorted(channels):
            yield from _Group(state, policy, channel, members, delays, waiting, held_back, now).candidates()


def delays_for(alert: Alert, policy: Policy, channels: frozenset[str]) -> dict[str, float]:
    """The channels of an alert, each with the time the trouble must have lasted; channels that fail have a stand-in."""
    routes = routes_of(
        policy,
        category=alert.category,
        code=alert.code,
        severity=alert.severity,
        site=alert.site,
        project=alert.project,
    )
    delays = delays_of(routes, policy.default, channels)
    for channel, told in alert.told.items():
        stand_in = policy.fallback.get(channel)
        if stand_in in channels and stand_in not in delays and fails(told):
            delays[stand_in] = (
                0.0 if told.dead else (told.at - alert.first_seen).total_seconds() + policy.fallback_seconds
            )
    return delays


class _Group:
    """The alerts of one site and code, for one channel."""

    def __init__(
        self,
        state: State,
        policy: Policy,
        channel: str,
        members: Sequence[Alert],
        delays: dict[str, dict[str, float]],
        unsettled: set[tuple[str, str]],
        inhibited: set[str],
        now: datetime,
    ) -> None:
        self._state, self._policy, self._channel, self._now = state, policy, channel, now
        self._delays = delays
        self._site = members[0].site
        opened = [alert for alert in members if alert.resolved_at is None]
        told = [alert for alert in members if channel in alert.told]
        loud = {alert.alert_id for alert in opened if not alert.acknowledged and alert.alert_id not in inhibited}
        self._new = [
            alert
            for alert in opened
            if alert.alert_id in loud and channel not in alert.told and channel in delays[alert.alert_id]
        ]
        self._told_open = [alert for alert in told if alert.resolved_at is None]
        settled = [alert for alert in told if (channel, alert.alert_id) not in unsettled]
        self._again = [alert for alert in settled if alert.alert_id in loud]
        self._over = [alert for alert in settled if alert.resolved_at is not None]
        self._last_at = max((alert.told[channel].at for alert in self._told_open), default=None)

    def candidates(self) -> Iterator[Candidate]:
        if self._new:
            yield self._of_new()
        if self._again:
            yield self._of_again()
        if self._over:
            yield from self._of_over()

    def _of_new(self) -> Candidate:
        """The first word of alerts, or that more have joined those that were told."""
        policy = self._policy
        not_before = self._not_before()
        moments = {
            alert.alert_id: self._loud(alert, max(self._free_at(alert) + self._wait(alert), not_before))
            for alert in self._new
        }
        ready = [alert for alert in self._new if self._free_at(alert) <= self._now] or self._new
        remarks = []
        if self._told_open:
            remarks.append(f"{counted(len(self._told_open), 'other alert')} of this kind are open still.")
        stand_in_for = sorted(
            {
                failing
                for alert in ready
                for failing, told in alert.told.items()
                if policy.fallback.get(failing) == self._channel and fails(told)
            }
        )
        remarks += [f"Sent here because {failing} does not work at the moment." for failing in stand_in_for]
        reason = NotificationReason.MORE if self._told_open else NotificationReason.FIRST
        return self._candidate(min(moments.values()), reason, ready, self._thread(self._told_open), tuple(remarks))

    def _of_again(self) -> Candidate:
        """A reminder of what is open still."""
        moments = [
            self._loud(
                alert,
                max(
                    alert.told[self._channel].at + timedelta(seconds=self._policy.repeat_seconds),
                    silenced_until(self._state, alert),
                ),
            )
            for alert in self._again
        ]
        ready = [a for a in self._again if silenced_until(self._state, a) <= self._now] or self._again
        return self._candidate(min(moments), NotificationReason.REPEAT, ready, self._thread(ready))

    def _of_over(self) -> Iterator[Candidate]:
        """The end of alerts, one notice for each thread in which they were told."""
        not_before = self._not_before()
        for thread in sorted({alert.told[self._channel].thread for alert in self._over}):
            mine = [alert for alert in self._over if alert.told[self._channel].thread == thread]
            at = min(
                self._loud(alert, max((alert.resolved_at or LONG_AGO) + self._wait(alert), not_before))
                for alert in mine
            )
            yield self._candidate(at, NotificationReason.RESOLVED, mine, thread)

    def _candidate(
        self,
        at: datetime,
        reason: NotificationReason,
        alerts: Sequence[Alert],
        thread: str,
        remarks: tuple[str, ...] = (),
    ) -> Candidate:
        urgent = any(is_critical(alert) for alert in alerts)
        return Candidate(at, self._channel, self._site, reason, tuple(alerts), thread, urgent, remarks)

    def _thread(self, told: Iterable[Alert]) -> str:
        first = min(told, key=lambda alert: (alert.raised_at, alert.alert_id), default=None)
        return "" if first is None else first.told[self._channel].thread

    def _not_before(self) -> datetime:
        """Notices of a group that goes on keep a distance."""
        if self._last_at is None:
            return LONG_AGO
        return self._last_at + timedelta(seconds=self._policy.group_interval_seconds)

    def _wait(self, alert: Alert) -> timedelta:
        policy = self._policy
        return timedelta(seconds=policy.critical_wait_seconds if is_critical(alert) else policy.group_wait_seconds)

    def _loud(self, alert: Alert, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours that it falls into."""
        if is_critical(alert):
            return at
        return quiet_until(self._policy.quiet_hours, self._channel, at) or at

    def _free_at(self, alert: Alert) -> datetime:
        """From when on an alert may be told at all."""
        policy = self._policy
        lasting = timedelta(seconds=self._delays[alert.alert_id][self._channel])
        stays = timedelta(seconds=policy.flap_seconds if flaps(alert, self._state, policy) else 0)
        return max(
            alert.raised_at + stays,
            alert.first_seen + lasting if lasting else LONG_AGO,
            silenced_until(self._state, alert),
        )
