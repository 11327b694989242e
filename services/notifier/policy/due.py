"""Which notifications are sent now, and when to look again: state and policy in, notifications out. Pure.

Each change of an alert (it is open, it is over) is reported once a channel: the state says so as soon as a notification
is on its way, so that nothing is decided twice.
"""

import uuid
from datetime import datetime
from typing import Final

import msgspec

from libs.events import NotificationReason
from services.notifier.policy.grouping import Candidate, candidates
from services.notifier.policy.rate_limit import full_until, sent_key, sent_lately, within_rate_limit
from services.notifier.policy.rules import LARGEST_RATE_LIMIT, Policy
from services.notifier.policy.suppression import without_finished_alerts, without_suppressed_ends
from services.notifier.state import Alert, Notification, Pending, Report, State, with_alert, with_pending

NAMESPACE: Final = uuid.UUID("3f0a3f5e-0b64-5c7e-9a39-0d0f9f1f6c11")
"""Namespace of notification ids."""


def decided(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> tuple[State, list[Notification]]:
    """The notifications to send now, on the channels that are set up, and the state in which they are on their way."""
    state = without_suppressed_ends(state, policy, channels, now)
    notifications = _due(state, policy, channels, now)
    for notification in notifications:
        state = _on_its_way(state, notification)
    return state, notifications


def next_moment(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> datetime | None:
    """When something may be due that is not due now; None when only an event can bring that about."""
    moments: list[datetime] = []
    for one in candidates(state, policy, channels, now):
        full = full_until(sent_lately(state, one.channel, one.site), policy)
        waits = full is not None and full > now and not one.urgent
        moments.append(max(one.at, full) if waits and full is not None else one.at)
    return min((moment for moment in moments if moment > now), default=None)


def _due(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> list[Notification]:
    found = [one for one in candidates(state, policy, channels, now) if one.at <= now]
    notifications: list[Notification] = []
    for channel, site in sorted({(one.channel, one.site) for one in found}):
        mine = sorted((one for one in found if (one.channel, one.site) == (channel, site)), key=_order)
        allowed = within_rate_limit(mine, sent_lately(state, channel, site), policy, now)
        notifications += [_notification(one, now) for one in allowed]
    return notifications


def _order(candidate: Candidate) -> tuple[datetime, str, str]:
    return candidate.at, candidate.reason, candidate.alerts[0].alert_id


def _notification(candidate: Candidate, now: datetime) -> Notification:
    """Its id follows from what it reports: decided again after a crash, it is the same notification."""
    reported = sorted(
        f"{alert.alert_id}:{'over' if alert.resolved_at else 'open'}:{_ordinal(alert, candidate)}"
        for alert in candidate.alerts
    )
    name = "/".join((candidate.channel, candidate.reason, *reported))
    return Notification(
        notification_id=str(uuid.uuid5(NAMESPACE, name)),
        channel=candidate.channel,
        reason=candidate.reason,
        site=candidate.site,
        at=now,
        thread=candidate.thread,
        alerts=tuple(msgspec.structs.replace(alert, reports={}) for alert in candidate.alerts),
        remarks=candidate.remarks,
    )


def _ordinal(alert: Alert, candidate: Candidate) -> str:
    """Distinguishes one reminder from the next: when the alert was reported last."""
    report = alert.reports.get(candidate.channel)
    return report.at.isoformat() if report and candidate.reason is NotificationReason.REPEAT else ""


def _on_its_way(state: State, notification: Notification) -> State:
    """With the notification in the outbox, and its alerts reported as far as it reports them."""
    at, channel = notification.at, notification.channel
    state = with_pending(state, Pending(notification=notification, next_at=at, since=at))
    for alert in notification.alerts:
        known = state.alerts[alert.alert_id]
        reports = {other: report for other, report in known.reports.items() if other != channel}
        if alert.resolved_at is None:
            before = known.reports.get(channel)
            reports[channel] = (
                Report(thread=notification.thread or notification.notification_id, at=at)
                if before is None
                else msgspec.structs.replace(before, at=at, dead=False)
            )
        state = with_alert(state, msgspec.structs.replace(known, reports=reports))
    key = sent_key(channel, notification.site)
    times = (*state.sent.get(key, ()), at)[-LARGEST_RATE_LIMIT:]
    return without_finished_alerts(msgspec.structs.replace(state, sent={**state.sent, key: times}))
