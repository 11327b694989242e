"""What is to be said now, and when to look again: alerts and policy in, notices out. Pure.

Each change of an alert (it is open, it is over) is told once a channel; `planned` writes down that it is, together with
the notice, so that nothing is decided twice.
"""

import uuid
from datetime import datetime
from typing import Final

import msgspec

from libs.events import NotificationReason
from services.notifier.policy.candidates import Candidate, candidates
from services.notifier.policy.rate_limit import full_until, sent_key, sent_lately, under_cap
from services.notifier.policy.rules import LARGEST_CAP, Policy
from services.notifier.policy.suppression import silenced_until
from services.notifier.state import Alert, Notice, Pending, State, Told, with_alert, with_pending

NAMESPACE: Final = uuid.UUID("3f0a3f5e-0b64-5c7e-9a39-0d0f9f1f6c11")
"""Namespace of notice ids."""


def due(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> list[Notice]:
    """The notices to send now, on the channels that are set up."""
    found = [one for one in candidates(state, policy, channels, now) if one.at <= now]
    notices: list[Notice] = []
    for channel, site in sorted({(one.channel, one.site) for one in found}):
        mine = sorted((one for one in found if (one.channel, one.site) == (channel, site)), key=_order)
        notices += [_notice(one, now) for one in under_cap(mine, sent_lately(state, channel, site), policy, now)]
    return notices


def next_moment(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> datetime | None:
    """When something may be due that is not due now; None when only an event can bring that about."""
    moments: list[datetime] = []
    for one in candidates(state, policy, channels, now):
        full = full_until(sent_lately(state, one.channel, one.site), policy)
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
            thread = notice.thread or notice.notification_id
            told[notice.channel] = (
                Told(thread=thread, at=notice.at)
                if before is None
                else msgspec.structs.replace(before, at=notice.at, dead=False)
            )
        state = with_alert(state, msgspec.structs.replace(known, told=told))
    key = sent_key(notice.channel, notice.site)
    times = (*state.sent.get(key, ()), notice.at)[-LARGEST_CAP:]
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
            and silenced_until(state, alert) <= now
        }
        if len(told) != len(alert.told):
            state = with_alert(state, msgspec.structs.replace(alert, told=told))
    return tidied(state)


def _order(candidate: Candidate) -> tuple[datetime, str, str]:
    return candidate.at, candidate.reason, candidate.alerts[0].alert_id


def _notice(candidate: Candidate, now: datetime) -> Notice:
    said = sorted(
        f"{alert.alert_id}:{'over' if alert.resolved_at else 'open'}:{_ordinal(alert, candidate)}"
        for alert in candidate.alerts
    )
    name = "/".join((candidate.channel, candidate.reason, *said))
    return Notice(
        notification_id=str(uuid.uuid5(NAMESPACE, name)),
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
    return told.at.isoformat() if told and candidate.reason is NotificationReason.REPEAT else ""
