"""What is to be said now, and when to look again: alerts and policy in, notices out. Pure.

Each change of an alert (it is open, it is over) is told once a channel; `planned` writes down that it is, together with
the notice, so that nothing is decided twice.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from libs.events import NoticeReason
from libs.jira_client.errors import Severity
from services.notifier.policy import Match, Policy, delays_of, routes_of
from services.notifier.quiet import quiet_until
from services.notifier.state import Alert, Notice, Pending, State, Told, silence_key, with_alert, with_pending

NAMESPACE: Final = uuid.UUID("3f0a3f5e-0b64-5c7e-9a39-0d0f9f1f6c11")
"""Namespace of notice ids."""
CAP_WINDOW: Final = timedelta(hours=1)
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Candidate(NamedTuple):
    """A notice that is due at some time, as things stand."""

    at: datetime
    """When it is due; in the future, its alerts are those that it would tell of if nothing changes."""
    channel: str
    site: str
    reason: NoticeReason
    alerts: tuple[Alert, ...]
    thread: str
    urgent: bool
    remarks: tuple[str, ...] = ()


def due(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> list[Notice]:
    """The notices to send now, on the channels that are set up."""
    found = [one for one in candidates(state, policy, channels, now) if one.at <= now]
    notices: list[Notice] = []
    for channel, site in sorted({(one.channel, one.site) for one in found}):
        mine = sorted((one for one in found if (one.channel, one.site) == (channel, site)), key=_order)
        notices += [_notice(one, now) for one in _under_cap(mine, _sent(state, channel, site), policy, now)]
    return notices


def next_moment(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> datetime | None:
    """When something may be due that is not due now; None when only an event can bring that about."""
    moments: list[datetime] = []
    for one in candidates(state, policy, channels, now):
        full = _full_until(_sent(state, one.channel, one.site), policy)
        held = full is not None and full > now and not one.urgent
        moments.append(max(one.at, full) if held and full is not None else one.at)
    return min((moment for moment in moments if moment > now), default=None)


def planned(state: State, notice: Notice) -> State:
    """The state in which a notice is on its way, and its alerts are told as far as it tells them."""
    state = with_pending(state, Pending(notice=notice, next_at=notice.at, since=notice.at))
    for alert in notice.alerts:
        known = state.alerts[alert.alert_id]
        told = {channel: one for channel, one in known.told.items() if channel != notice.channel}
        if alert.resolved_at is None:
            before = known.told.get(notice.channel)
            thread = notice.thread or notice.notice_id
            told[notice.channel] = (
                Told(thread=thread, at=notice.at)
                if before is None
                else msgspec.structs.replace(before, at=notice.at, dead=False)
            )
        state = with_alert(state, msgspec.structs.replace(known, told=told))
    key = sent_key(notice.channel, notice.site)
    times = (*state.sent.get(key, ()), notice.at)[-100:]
    return tidied(msgspec.structs.replace(state, sent={**state.sent, key: times}))


def tidied(state: State) -> State:
    """Without alerts that are over and of which nobody needs to hear any more."""
    kept = {key: alert for key, alert in state.alerts.items() if alert.resolved_at is None or alert.told}
    return state if len(kept) == len(state.alerts) else msgspec.structs.replace(state, alerts=kept)


def hushed(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> State:
    """Without the ends of alerts that are not told: the channel is gone, never took the alert, or is silenced."""
    for alert in state.alerts.values():
        if alert.resolved_at is None:
            continue
        told = {
            channel: one
            for channel, one in alert.told.items()
            if policy.send_resolved
            and channel in channels
            and not (one.dead and not one.delivered)
            and _silenced_until(state, alert) <= now
        }
        if len(told) != len(alert.told):
            state = with_alert(state, msgspec.structs.replace(alert, told=told))
    return tidied(state)


def candidates(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> Iterator[Candidate]:
    """Everything that could be said, group by group: alerts of one site and code on one channel."""
    groups: dict[tuple[str, str], list[Alert]] = {}
    for alert in state.alerts.values():
        groups.setdefault((alert.site, alert.code), []).append(alert)
    unsettled, inhibited = _unsettled(state), _inhibited(state, policy)
    for members in groups.values():
        delays = {alert.alert_id: delays_for(alert, policy, channels) for alert in members}
        for channel in sorted(channels):
            yield from _Group(state, policy, channel, members, delays, unsettled, inhibited, now).candidates()


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
        if stand_in in channels and stand_in not in delays and _fails(told):
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
            remarks.append(f"{_counted(len(self._told_open), 'other alert')} of this kind are open still.")
        stand_in_for = sorted(
            {
                failing
                for alert in ready
                for failing, told in alert.told.items()
                if policy.fallback.get(failing) == self._channel and _fails(told)
            }
        )
        remarks += [f"Sent here because {failing} does not work at the moment." for failing in stand_in_for]
        reason = NoticeReason.MORE if self._told_open else NoticeReason.FIRST
        return self._candidate(min(moments.values()), reason, ready, self._thread(self._told_open), tuple(remarks))

    def _of_again(self) -> Candidate:
        """A reminder of what is open still."""
        moments = [
            self._loud(
                alert,
                max(
                    alert.told[self._channel].at + timedelta(seconds=self._policy.repeat_seconds),
                    _silenced_until(self._state, alert),
                ),
            )
            for alert in self._again
        ]
        ready = [a for a in self._again if _silenced_until(self._state, a) <= self._now] or self._again
        return self._candidate(min(moments), NoticeReason.REPEAT, ready, self._thread(ready))

    def _of_over(self) -> Iterator[Candidate]:
        """The end of alerts, one notice for each thread in which they were told."""
        not_before = self._not_before()
        for thread in sorted({alert.told[self._channel].thread for alert in self._over}):
            mine = [alert for alert in self._over if alert.told[self._channel].thread == thread]
            at = min(
                self._loud(alert, max((alert.resolved_at or LONG_AGO) + self._wait(alert), not_before))
                for alert in mine
            )
            yield self._candidate(at, NoticeReason.RESOLVED, mine, thread)

    def _candidate(
        self,
        at: datetime,
        reason: NoticeReason,
        alerts: Sequence[Alert],
        thread: str,
        remarks: tuple[str, ...] = (),
    ) -> Candidate:
        urgent = any(_critical(alert) for alert in alerts)
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
        return timedelta(seconds=policy.critical_wait_seconds if _critical(alert) else policy.group_wait_seconds)

    def _loud(self, alert: Alert, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours that it falls into."""
        if _critical(alert):
            return at
        return quiet_until(self._policy.quiet_hours, self._channel, at) or at

    def _free_at(self, alert: Alert) -> datetime:
        """From when on an alert may be told at all."""
        policy = self._policy
        lasting = timedelta(seconds=self._delays[alert.alert_id][self._channel])
        stays = timedelta(seconds=policy.flap_seconds if _flaps(alert, self._state, policy) else 0)
        return max(
            alert.raised_at + stays,
            alert.first_seen + lasting if lasting else LONG_AGO,
            _silenced_until(self._state, alert),
        )


def _order(candidate: Candidate) -> tuple[datetime, str, str]:
    return candidate.at, candidate.reason, candidate.alerts[0].alert_id


def _fails(told: Told) -> bool:
    """Whether a channel has not got across what there is to tell."""
    return told.dead or not told.delivered


def _critical(alert: Alert) -> bool:
    return alert.severity == Severity.CRITICAL


def _flaps(alert: Alert, state: State, policy: Policy) -> bool:
    since = alert.raised_at - timedelta(seconds=policy.flap_window_seconds)
    lately = [at for at in state.raises.get(alert.fingerprint, ()) if since < at <= alert.raised_at]
    return len(lately) >= policy.flap_count


def _silenced_until(state: State, alert: Alert) -> datetime:
    keys = (silence_key(alert.site, alert.project, code) for code in (None, alert.code))
    return max((state.silences[key] for key in keys if key in state.silences), default=LONG_AGO)


def _inhibited(state: State, policy: Policy) -> set[str]:
    """The alerts that are held back because another open alert of their site says more.

    A source of a rule is held back by earlier rules alone, so that no two alerts hold back each other.
    """
    opened = [alert for alert in state.alerts.values() if alert.resolved_at is None]
    found: set[str] = set()
    sources: set[str] = set()
    for rule in policy.inhibit:
        mine = {alert.alert_id: alert.site for alert in opened if _matches(rule.source, alert)}
        sources |= mine.keys()
        sites = set(mine.values())
        found |= {
            alert.alert_id
            for alert in opened
            if alert.site in sites and alert.alert_id not in sources and _matches(rule.target, alert)
        }
    return found


def _matches(match: Match, alert: Alert) -> bool:
    return match.covers(
        category=alert.category,
        code=alert.code,
        severity=alert.severity,
        site=alert.site,
        project=alert.project,
    )


def _unsettled(state: State) -> set[tuple[str, str]]:
    """Channel and alert of every notice whose outcome is not known yet."""
    return {
        (pending.notice.channel, alert.alert_id)
        for pending in state.outbox.values()
        if not pending.dead
        for alert in pending.notice.alerts
    }


def sent_key(channel: str, site: str) -> str:
    return f"{channel} {site}"


def _sent(state: State, channel: str, site: str) -> tuple[datetime, ...]:
    return state.sent.get(sent_key(channel, site), ())


def _full_until(sent: tuple[datetime, ...], policy: Policy) -> datetime | None:
    """Until when the last notice has used up the hour's share; None when there was room after it."""
    cap = policy.cap_per_hour
    if len(sent) < cap or sent[-1] - sent[-cap] >= CAP_WINDOW:
        return None
    return sent[-cap] + CAP_WINDOW


def _under_cap(
    found: Sequence[Candidate], sent: tuple[datetime, ...], policy: Policy, now: datetime
) -> Iterator[Candidate]:
    """What of the due notices about one site goes out on one channel now; what was held back goes as one digest."""
    yield from (one for one in found if one.urgent)
    sent = (*sent, *(now for one in found if one.urgent))
    waiting = [one for one in found if not one.urgent]
    full = _full_until(sent, policy)
    if full is not None and full > now:
        return
    held = [one for one in waiting if full is not None and one.at < full]
    if len(held) > 1:
        yield _digest(waiting)
        return
    for one in waiting:
        full = _full_until(sent, policy)
        if full is not None and full > now:
            return
        yield one
        sent = (*sent, now)


def _digest(held: Sequence[Candidate]) -> Candidate:
    alerts = tuple({alert.alert_id: alert for one in held for alert in one.alerts}.values())
    remark = f"Held back because so many notices went out within an hour; {_counted(len(held), 'notice')} in one."
    return held[0]._replace(reason=NoticeReason.DIGEST, alerts=alerts, thread="", remarks=(remark,))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _notice(candidate: Candidate, now: datetime) -> Notice:
    said = sorted(
        f"{alert.alert_id}:{'over' if alert.resolved_at else 'open'}:{_ordinal(alert, candidate)}"
        for alert in candidate.alerts
    )
    name = "/".join((candidate.channel, candidate.reason, *said))
    return Notice(
        notice_id=str(uuid.uuid5(NAMESPACE, name)),
        channel=candidate.channel,
        reason=candidate.reason,
        site=candidate.site,
        at=now,
        thread=candidate.thread,
        alerts=tuple(msgspec.structs.replace(alert, told={}) for alert in candidate.alerts),
        remarks=candidate.remarks,
    )


def _ordinal(alert: Alert, candidate: Candidate) -> str:
    """Tells one reminder from the next: when the alert was told last."""
    told = alert.told.get(candidate.channel)
    return told.at.isoformat() if told and candidate.reason is NoticeReason.REPEAT else ""
