"""What each event means for the state: `FOLDS`, one function an event type. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from libs.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    AlertsSilenced,
    Event,
    FailureKind,
    NotificationFailed,
    NotificationReason,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
)
from services.notifier.state import (
    Alert,
    Breaker,
    Notification,
    Pending,
    Report,
    State,
    silence_key,
    with_alert,
    with_pending,
)
from services.notifier.text import clean, one_line

LONGEST_TEXT: Final = 4000
"""Characters of an alert's message or advice that are kept to be sent."""
DEAD_KEPT: Final = 500
"""Dead letters kept for a redrive. Of an older one its stream still tells whom it was for and what it was about."""
RAISES_KEPT: Final = 20
BREAKER_FAILURES: Final = 5
"""Failures in a row that open a channel's breaker."""
BREAKER_SECONDS: Final = 60.0
BREAKER_LONGEST_SECONDS: Final = 900.0


def fold(state: State, event: Event) -> State:
    """The state after one more event. Events that it has seen already change nothing."""
    handler = FOLDS.get(type(event))
    return state if handler is None else handler(state, event)


def with_dead_letter(state: State, notification_id: str, events: Iterable[Event]) -> State:
    """With a dead letter that is no longer kept, as far as the earlier events of its stream still say what it was."""
    made = State(alerts=state.alerts)
    for event in events:
        made = fold(made, event)
    pending = made.outbox.get(notification_id)
    return state if pending is None else with_pending(state, pending)


def _raised(state: State, event: AlertRaised) -> State:
    if event.alert_id in state.alerts:
        return state
    alert = Alert(
        alert_id=event.alert_id,
        site=event.site,
        project=event.project,
        fingerprint=event.fingerprint,
        code=event.code,
        category=event.category,
        severity=event.severity,
        message=clean(event.message, LONGEST_TEXT),
        advice=clean(event.advice, LONGEST_TEXT),
        docs=one_line(event.docs, 500),
        first_seen=event.first_seen,
        last_seen=event.last_seen,
        count=event.count,
        raised_at=event.recorded_at,
    )
    earlier = state.raises.get(event.fingerprint, ())
    raises = {**state.raises, event.fingerprint: (*earlier, event.recorded_at)[-RAISES_KEPT:]}
    long_ago = event.recorded_at - timedelta(days=7)
    lately = {fingerprint: times for fingerprint, times in raises.items() if times[-1] >= long_ago}
    return with_alert(msgspec.structs.replace(state, raises=lately), alert)


def _repeated(state: State, event: AlertRepeated) -> State:
    return _changed(
        state,
        event.alert_id,
        last_seen=event.last_seen,
        count=event.count,
        message=clean(event.message, LONGEST_TEXT),
    )


def _resolved(state: State, event: AlertResolved) -> State:
    alert = state.alerts.get(event.alert_id)
    if alert is None or alert.resolved_at is not None:
        return state
    return _changed(
        state,
        event.alert_id,
        resolved_at=event.recorded_at,
        end=str(event.end),
        resolution=clean(event.reason, LONGEST_TEXT),
        count=max(alert.count, event.count),
    )


def _acknowledged(state: State, event: AlertAcknowledged) -> State:
    return _changed(state, event.alert_id, acknowledged=True)


def _changed(state: State, alert_id: str, **values: Any) -> State:
    alert = state.alerts.get(alert_id)
    return state if alert is None else with_alert(state, msgspec.structs.replace(alert, **values))


def _silenced(state: State, event: AlertsSilenced) -> State:
    lasting = {key: until for key, until in state.silences.items() if until > event.recorded_at}
    lasting[silence_key(event.site, event.project, event.code)] = event.until
    return msgspec.structs.replace(state, silences=lasting)


def _requested(state: State, event: NotificationRequested) -> State:
    if event.notification_id in state.outbox:
        return state
    notification = Notification(
        notification_id=event.notification_id,
        channel=event.channel.lower(),
        reason=NotificationReason.TEST,
        site=event.site,
        at=event.recorded_at,
        to=event.to,
    )
    return with_pending(
        state, Pending(notification=notification, next_at=notification.at, since=notification.at, by_hand=True)
    )


def _sent(state: State, event: NotificationSent) -> State:
    outbox = {key: value for key, value in state.outbox.items() if key != event.notification_id}
    breakers = {**state.breakers, event.channel: Breaker()}
    pending = state.outbox.get(event.notification_id)
    state = msgspec.structs.replace(state, outbox=outbox, breakers=breakers)
    return _with_report(state, event, pending, delivered=True, dead=False)


def _failed(state: State, event: NotificationFailed) -> State:
    known = state.outbox.get(event.notification_id)
    pending = known or _unknown(state, event)
    if pending.attempts >= event.attempt:
        return state
    dead = event.next_attempt_at is None
    state = with_pending(
        state,
        msgspec.structs.replace(
            pending,
            attempts=event.attempt,
            next_at=event.next_attempt_at or event.recorded_at,
            remaining=event.recipients if event.taken or event.refused else (),
            taken=event.taken,
            refused=event.refused,
            dead=dead,
            by_hand=False,
        ),
    )
    if event.reason is not NotificationReason.TEST:
        state = _with_breaker(state, event)
    if not dead:
        return state
    return _with_report(_bounded(state), event, known, delivered=bool(event.taken), dead=True)


def _unknown(state: State, event: NotificationFailed) -> Pending:
    """A notification that another version of this program has decided: what can still be known of it."""
    notification = Notification(
        notification_id=event.notification_id,
        channel=event.channel,
        reason=event.reason,
        site=event.site,
        at=event.recorded_at,
        alerts=tuple(state.alerts[alert_id] for alert_id in event.alert_ids if alert_id in state.alerts),
        remarks=(event.subject,),
    )
    return Pending(notification=notification, next_at=event.recorded_at, since=event.recorded_at)


def _with_breaker(state: State, event: NotificationFailed) -> State:
    """A channel that asks for patience, or that fails again and again, is left alone for a while."""
    breaker = state.breakers.get(event.channel, Breaker())
    until = breaker.open_until
    if event.kind is FailureKind.TRANSIENT:
        breaker = msgspec.structs.replace(breaker, failures=breaker.failures + 1)
        beyond = breaker.failures - BREAKER_FAILURES
        if beyond >= 0:
            seconds = min(BREAKER_SECONDS * 2 ** min(beyond, 10), BREAKER_LONGEST_SECONDS)
            until = event.recorded_at + timedelta(seconds=seconds)
    if event.retry_after is not None:
        asked = event.recorded_at + timedelta(seconds=event.retry_after)
        until = asked if until is None else max(until, asked)
    breaker = msgspec.structs.replace(breaker, open_until=until)
    return msgspec.structs.replace(state, breakers={**state.breakers, event.channel: breaker})


def _bounded(state: State) -> State:
    """Without the oldest dead letters, where there are more than are kept."""
    dead = sorted((one.next_at, key) for key, one in state.outbox.items() if one.dead)
    dropped = {key for _, key in dead[: max(0, len(dead) - DEAD_KEPT)]}
    return msgspec.structs.replace(
        state, outbox={key: value for key, value in state.outbox.items() if key not in dropped}
    )


def _with_report(
    state: State, event: NotificationSent | NotificationFailed, pending: Pending | None, *, delivered: bool, dead: bool
) -> State:
    """What is reported on a channel now: its outcome for the alerts that are open, nothing for those that are over."""
    over = _reported_as_over(state, event, pending)
    for alert in _known(state, event.alert_ids):
        others = {channel: report for channel, report in alert.reports.items() if channel != event.channel}
        report = alert.reports.get(event.channel)
        if alert.alert_id in over:
            state = with_alert(state, msgspec.structs.replace(alert, reports=others))
        elif report is not None or alert.resolved_at is None:
            report = report or Report(thread=event.notification_id, at=event.recorded_at)
            report = msgspec.structs.replace(report, delivered=report.delivered or delivered, dead=dead)
            state = with_alert(state, msgspec.structs.replace(alert, reports={**others, event.channel: report}))
    return state


def _reported_as_over(state: State, event: NotificationSent | NotificationFailed, pending: Pending | None) -> set[str]:
    """The alerts whose end a notification reported. Of one that is not in the outbox, only what its event says."""
    if pending is not None:
        return {alert.alert_id for alert in pending.notification.alerts if alert.resolved_at is not None}
    if event.reason is NotificationReason.DIGEST:
        return {alert.alert_id for alert in _known(state, event.alert_ids) if alert.resolved_at is not None}
    return set(event.alert_ids) if event.reason is NotificationReason.RESOLVED else set()


def _known(state: State, alert_ids: tuple[str, ...]) -> Iterator[Alert]:
    return (state.alerts[alert_id] for alert_id in alert_ids if alert_id in state.alerts)


def _redriven(state: State, event: NotificationRedriven) -> State:
    pending = state.outbox.get(event.notification_id)
    if pending is None or not pending.dead:
        return state
    at = event.recorded_at
    again = msgspec.structs.replace(pending, dead=False, by_hand=True, next_at=at, since=at)
    # Where nobody has it yet, it goes to whom the channel is set up for by now.
    fresh = {} if pending.taken else {"remaining": (), "refused": ()}
    return with_pending(state, msgspec.structs.replace(again, **fresh))


FOLDS: Final[Mapping[type[Event], Callable[[State, Any], State]]] = {
    AlertRaised: _raised,
    AlertRepeated: _repeated,
    AlertResolved: _resolved,
    AlertAcknowledged: _acknowledged,
    AlertsSilenced: _silenced,
    NotificationRequested: _requested,
    NotificationSent: _sent,
    NotificationFailed: _failed,
    NotificationRedriven: _redriven,
}
