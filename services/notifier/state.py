"""What the notifier knows: open alerts and who was told of them, notices on their way, silences, health of channels.

`FOLDS` says what each event means for it. Pure; kept as parts beside the log, and folded anew from the log's beginning
when their version is another one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
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
from services.notifier.message.text import clean, one_line

VERSION: Final = 1
"""Of the parts. Another one is forgotten, and made again from the log."""
LONGEST_TEXT: Final = 4000
"""Characters of an alert's message or advice that are kept to be sent."""
DEAD_KEPT: Final = 500
"""Dead letters kept for a redrive. Of an older one its stream still tells whom it was for and what it was about."""
RAISES_KEPT: Final = 20
BREAKER_FAILURES: Final = 5
"""Failures in a row after which a channel is left alone for a while."""
BREAKER_SECONDS: Final = 60.0
BREAKER_LONGEST_SECONDS: Final = 900.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel was told of one alert."""

    thread: str
    """The first notice of the episode: the others answer it."""
    at: datetime
    delivered: bool = False
    dead: bool = False
    """The last notice about it could not be sent, and is not tried again."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is open, or that is over and not everybody knows."""

    alert_id: str
    site: str
    project: str
    fingerprint: str
    code: str
    category: str
    severity: str
    message: str
    advice: str
    docs: str
    first_seen: datetime
    last_seen: datetime
    count: int
    raised_at: datetime
    resolved_at: datetime | None = None
    end: str = ""
    resolution: str = ""
    acknowledged: bool = False
    told: dict[str, Told] = {}
    """By channel."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message on one channel, as it was decided: what happens later does not change its words."""

    notification_id: str = msgspec.field(name="notice_id")
    channel: str
    reason: NotificationReason
    site: str
    at: datetime
    thread: str = ""
    """The notice that this one answers; empty for the first of its thread."""
    alerts: tuple[Alert, ...] = ()
    remarks: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    """Empty: whom the channel is set up for."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way."""

    notice: Notice
    next_at: datetime
    since: datetime
    """When it was tried first, or redriven: from then on it is tried for a while."""
    attempts: int = 0
    remaining: tuple[str, ...] = ()
    """Recipients that are still to be reached; empty: all."""
    taken: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    dead: bool = False
    by_hand: bool = False
    """Somebody waits for its outcome: a channel that is left alone is tried all the same."""


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel does."""

    failures: int = 0
    """In a row, of the kind that says the channel itself does not work."""
    closed_until: datetime | None = None
    """It is left alone until then."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    alerts: dict[str, Alert] = {}
    outbox: dict[str, Pending] = {}
    """By notice id, dead letters included."""
    silences: dict[str, datetime] = {}
    """Until when, by site, project and code; a code of * stands for all."""
    raises: dict[str, tuple[datetime, ...]] = {}
    """When an alert was raised lately, by fingerprint."""
    sent: dict[str, tuple[datetime, ...]] = {}
    """When notices went out lately, by channel and site."""
    breakers: dict[str, Breaker] = {}


def fold(state: State, event: Event) -> State:
    """The state after one more event. Events that it has seen already change nothing."""
    handler = FOLDS.get(type(event))
    return state if handler is None else handler(state, event)


def silence_key(site: str, project: str, code: str | None) -> str:
    return f"{site}/{project}/{code or '*'}"


def with_alert(state: State, alert: Alert) -> State:
    return msgspec.structs.replace(state, alerts={**state.alerts, alert.alert_id: alert})


def with_pending(state: State, pending: Pending) -> State:
    return msgspec.structs.replace(state, outbox={**state.outbox, pending.notice.notification_id: pending})


def recalled(state: State, notification_id: str, story: Iterable[Event]) -> State:
    """With a dead letter that is no longer kept, as its story, the earlier events of its stream, tells of it."""
    told = State(alerts=state.alerts)
    for event in story:
        told = fold(told, event)
    pending = told.outbox.get(notification_id)
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
    notice = Notice(
        notification_id=event.notification_id,
        channel=event.channel.lower(),
        reason=NotificationReason.TEST,
        site=event.site,
        at=event.recorded_at,
        to=event.to,
    )
    return with_pending(state, Pending(notice=notice, next_at=notice.at, since=notice.at, by_hand=True))


def _sent(state: State, event: NotificationSent) -> State:
    outbox = {key: value for key, value in state.outbox.items() if key != event.notification_id}
    breakers = {**state.breakers, event.channel: Breaker()}
    pending = state.outbox.get(event.notification_id)
    state = msgspec.structs.replace(state, outbox=outbox, breakers=breakers)
    return _told(state, event, pending, delivered=True, dead=False)


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
        state = _left_alone(state, event)
    return _told(_bounded(state), event, known, delivered=bool(event.taken), dead=True) if dead else state


def _unknown(state: State, event: NotificationFailed) -> Pending:
    """A notice that another version of this program has decided: what can still be known of it."""
    notice = Notice(
        notification_id=event.notification_id,
        channel=event.channel,
        reason=event.reason,
        site=event.site,
        at=event.recorded_at,
        alerts=tuple(state.alerts[alert_id] for alert_id in event.alert_ids if alert_id in state.alerts),
        remarks=(event.subject,),
    )
    return Pending(notice=notice, next_at=event.recorded_at, since=event.recorded_at)


def _left_alone(state: State, event: NotificationFailed) -> State:
    """A channel that says so, or that fails again and again, is left alone for a while."""
    breaker = state.breakers.get(event.channel, Breaker())
    closed = breaker.closed_until
    if event.kind is FailureKind.TRANSIENT:
        breaker = msgspec.structs.replace(breaker, failures=breaker.failures + 1)
        over = breaker.failures - BREAKER_FAILURES
        if over >= 0:
            closed = event.recorded_at + timedelta(
                seconds=min(BREAKER_SECONDS * 2 ** min(over, 10), BREAKER_LONGEST_SECONDS)
            )
    if event.retry_after is not None:
        asked = event.recorded_at + timedelta(seconds=event.retry_after)
        closed = asked if closed is None else max(closed, asked)
    breaker = msgspec.structs.replace(breaker, closed_until=closed)
    return msgspec.structs.replace(state, breakers={**state.breakers, event.channel: breaker})


def _bounded(state: State) -> State:
    dead = sorted((one.next_at, key) for key, one in state.outbox.items() if one.dead)
    dropped = {key for _, key in dead[: max(0, len(dead) - DEAD_KEPT)]}
    return msgspec.structs.replace(
        state, outbox={key: value for key, value in state.outbox.items() if key not in dropped}
    )


def _told(
    state: State, event: NotificationSent | NotificationFailed, pending: Pending | None, *, delivered: bool, dead: bool
) -> State:
    """What a channel has been told now. Of a notice that is not on its way here the log alone says what it told."""
    over = _ends_told(state, event, pending)
    for alert in _known(state, event.alert_ids):
        others = {channel: told for channel, told in alert.told.items() if channel != event.channel}
        told = alert.told.get(event.channel)
        if alert.alert_id in over:
            state = with_alert(state, msgspec.structs.replace(alert, told=others))
        elif told is not None or alert.resolved_at is None:
            told = told or Told(thread=event.notification_id, at=event.recorded_at)
            told = msgspec.structs.replace(told, delivered=told.delivered or delivered, dead=dead)
            state = with_alert(state, msgspec.structs.replace(alert, told={**others, event.channel: told}))
    return state


def _ends_told(state: State, event: NotificationSent | NotificationFailed, pending: Pending | None) -> set[str]:
    """The alerts of whose end a notice told."""
    if pending is not None:
        return {alert.alert_id for alert in pending.notice.alerts if alert.resolved_at is not None}
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
