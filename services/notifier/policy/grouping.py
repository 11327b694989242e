"""Which alerts share a notification, and when it is due: groups of one site and code, channel by channel. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from libs.events import NotificationReason
from services.notifier.policy.quiet_hours import quiet_until
from services.notifier.policy.routing import delays_of, fails
from services.notifier.policy.rules import Policy
from services.notifier.policy.suppression import (
    LONG_AGO,
    arrives,
    concerns_the_site,
    flaps,
    inhibited,
    is_critical,
    silenced_until,
)
from services.notifier.state import Alert, State
from services.notifier.text import counted


class Candidate(NamedTuple):
    """A notification that is due at some time, as things stand."""

    at: datetime
    """When it is due; in the future, its alerts are those that it would report if nothing changes."""
    channel: str
    site: str
    reason: NotificationReason
    alerts: tuple[Alert, ...]
    thread: str
    urgent: bool
    remarks: tuple[str, ...] = ()


def candidates(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> Iterator[Candidate]:
    """Everything that could be reported, group by group: alerts of one site and code on one channel."""
    groups: dict[tuple[str, str], list[Alert]] = {}
    for alert in state.alerts.values():
        groups.setdefault((alert.site, alert.code), []).append(alert)
    waiting, suppressed = _in_flight(state), inhibited(state, policy)
    for members in groups.values():
        delays = {alert.alert_id: delays_of(alert, policy, channels) for alert in members}
        for channel in sorted(channels):
            group = _Group(state, policy, channel, members, delays, waiting, suppressed, now)
            yield from group.candidates()


def _in_flight(state: State) -> set[tuple[str, str]]:
    """Channel and alert of every notification whose outcome is not known yet."""
    return {
        (pending.notification.channel, alert.alert_id)
        for pending in state.outbox.values()
        if not pending.dead
        for alert in pending.notification.alerts
    }


class _Group:
    """The alerts of one site and code, for one channel."""

    def __init__(
        self,
        state: State,
        policy: Policy,
        channel: str,
        members: Sequence[Alert],
        delays: Mapping[str, Mapping[str, float]],
        in_flight: Collection[tuple[str, str]],
        inhibited: Collection[str],
        now: datetime,
    ) -> None:
        self._state, self._policy, self._channel, self._now = state, policy, channel, now
        self._delays = delays
        self._site = members[0].site
        opened = [alert for alert in members if alert.resolved_at is None]
        reportable = {alert.alert_id for alert in opened if not alert.acknowledged and alert.alert_id not in inhibited}
        reported = [alert for alert in members if channel in alert.reports]
        with_outcome = [alert for alert in reported if (channel, alert.alert_id) not in in_flight]
        self._new = [
            alert
            for alert in opened
            if alert.alert_id in reportable and channel not in alert.reports and channel in delays[alert.alert_id]
        ]
        self._still_open = [alert for alert in reported if alert.resolved_at is None]
        if concerns_the_site(members[0].code) and any(arrives(alert.reports[channel]) for alert in self._still_open):
            self._new = []  # the same trouble, seen by one more project
        self._to_repeat = [alert for alert in with_outcome if alert.alert_id in reportable]
        self._over = [alert for alert in with_outcome if alert.resolved_at is not None]

    def candidates(self) -> Iterator[Candidate]:
        if self._new:
            yield self._first_or_more()
        if self._to_repeat:
            yield self._reminder()
        if self._over:
            yield from self._ends()

    def _first_or_more(self) -> Candidate:
        """Alerts that were not reported yet; where others of the group were, these join them."""
        due = min(self._due(alert, self._reportable_from(alert) + self._wait(alert)) for alert in self._new)
        ready = [alert for alert in self._new if self._reportable_from(alert) <= self._now] or self._new
        remarks = [
            f"Sent here because {failing} does not work at the moment." for failing in self._stands_in_for(ready)
        ]
        if self._still_open:
            remarks.insert(0, f"{counted(len(self._still_open), 'other alert')} of this kind are open still.")
        reason = NotificationReason.MORE if self._still_open else NotificationReason.FIRST
        return self._candidate(due, reason, ready, self._thread(self._still_open), tuple(remarks))

    def _reminder(self) -> Candidate:
        """Alerts that are open still."""
        pause = timedelta(seconds=self._policy.repeat_seconds)
        due = min(
            self._after_quiet_hours(
                alert, max(alert.reports[self._channel].at + pause, silenced_until(self._state, alert))
            )
            for alert in self._to_repeat
        )
        ready = [one for one in self._to_repeat if silenced_until(self._state, one) <= self._now] or self._to_repeat
        return self._candidate(due, NotificationReason.REPEAT, ready, self._thread(ready))

    def _ends(self) -> Iterator[Candidate]:
        """Alerts that are over, one notification for each thread in which they were reported."""
        for thread in sorted({alert.reports[self._channel].thread for alert in self._over}):
            mine = [alert for alert in self._over if alert.reports[self._channel].thread == thread]
            due = min(self._due(alert, (alert.resolved_at or LONG_AGO) + self._wait(alert)) for alert in mine)
            yield self._candidate(due, NotificationReason.RESOLVED, mine, thread)

    def _stands_in_for(self, alerts: Iterable[Alert]) -> list[str]:
        """The channels that fail, and for which this one is used."""
        return sorted(
            {
                failing
                for alert in alerts
                for failing, report in alert.reports.items()
                if self._policy.fallback.get(failing) == self._channel and fails(report)
            }
        )

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

    def _thread(self, reported: Iterable[Alert]) -> str:
        first = min(reported, key=lambda alert: (alert.raised_at, alert.alert_id), default=None)
        return "" if first is None else first.reports[self._channel].thread

    def _due(self, alert: Alert, at: datetime) -> datetime:
        """When a change of an alert is reported, where it could be at `at`."""
        return self._after_quiet_hours(alert, max(at, self._not_before()))

    def _not_before(self) -> datetime:
        """Notifications of a group that goes on keep a distance."""
        last = max((alert.reports[self._channel].at for alert in self._still_open), default=None)
        return LONG_AGO if last is None else last + timedelta(seconds=self._policy.group_interval_seconds)

    def _wait(self, alert: Alert) -> timedelta:
        policy = self._policy
        return timedelta(seconds=policy.critical_wait_seconds if is_critical(alert) else policy.group_wait_seconds)

    def _after_quiet_hours(self, alert: Alert, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours that it falls into."""
        if is_critical(alert):
            return at
        return quiet_until(self._policy.quiet_hours, self._channel, at) or at

    def _reportable_from(self, alert: Alert) -> datetime:
        """From when on an alert may be reported at all."""
        policy = self._policy
        lasting = timedelta(seconds=self._delays[alert.alert_id][self._channel])
        stays = timedelta(seconds=policy.flap_seconds if flaps(alert, self._state, policy) else 0)
        return max(
            alert.raised_at + stays,
            alert.first_seen + lasting if lasting else LONG_AGO,
            silenced_until(self._state, alert),
        )
