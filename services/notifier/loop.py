"""The loop: read the log, decide what is due, write that down, send it, record what became of it.

A notice is sent only after it was written down, and what follows from its outcome is read from the log: so wherever the
process dies, the next one sends the same notice under the same id, or knows that it was sent.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from libs.events import (
    AlertRaised,
    AlertResolved,
    Event,
    EventStore,
    FailureKind,
    Lease,
    NotificationFailed,
    NotificationRedriven,
    NotificationSent,
    Recorded,
    lead_by_lease,
    wakes,
)
from libs.runtime import EVENT_DELAY, EVENTS_HANDLED, LAG, POSITION, Stop, asked
from services.notifier.delivery.journal import NAME, Journal
from services.notifier.delivery.retries import next_attempt, outcome, ready
from services.notifier.delivery.send import Outlet
from services.notifier.heartbeat import Heartbeat
from services.notifier.measures import DEAD, LATENCY, NOTIFICATIONS, WAITING
from services.notifier.message.render import render
from services.notifier.message.types import Message, Result, failed
from services.notifier.policy.due import due, hushed, next_moment, planned
from services.notifier.policy.rules import Policy
from services.notifier.state import FOLDS, Pending, State, fold

SUBJECTS: Final = (
    *(f"jira.*.*.control.{name}" for name in ("alert_raised", "alert_repeated", "alert_resolved")),
    *(f"jira.*.*.control.{name}" for name in ("alert_acknowledged", "alerts_silenced")),
    *(f"jira.*.*.notice.{name}" for name in ("notification_requested", "notification_redriven")),
)
RETRY_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 60.0
"""Without NATS the log is looked at so often."""
SHORTEST_SECONDS: Final = 0.02
LEAVE_SECONDS: Final = 10.0
"""A send that has begun may end before the process does: then nothing is in doubt."""

log = structlog.get_logger(__name__)


class Notifier:
    """Owns what is in the air."""

    def __init__(
        self,
        store: EventStore,
        policy: Policy,
        outlet: Outlet,
        *,
        public_url: str = "",
        heartbeat: Heartbeat | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._policy, self._outlet = store, policy, outlet
        self._journal = Journal(store)
        self._public_url, self._clock, self._heartbeat = public_url, clock, heartbeat
        self._state = State()
        self._bell = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}
        """By channel: each sends one after the other, and none waits for another."""
        self._tried: dict[str, int] = {}

    async def run(self, nats_url: str, stop: Stop, on_health: Callable[[str | None], None]) -> None:
        """Work while this process leads, stand by while another one does, until told to stop."""

        async def lead(lease: Lease) -> None:
            await self._lead(nats_url, lease, on_health)

        await lead_by_lease(self._store.url, NAME, stop, lead, on_health=on_health, on_standby=lambda: on_health(None))

    async def _lead(self, nats_url: str, lease: Lease, on_health: Callable[[str | None], None]) -> None:
        self._state, self._tried = await asyncio.to_thread(self._journal.load), {}
        log.info("notifier leads", channels=sorted(self._outlet.channels), alerts=len(self._state.alerts))
        awake = wakes(
            nats_url,
            durable=NAME,
            subjects=SUBJECTS,
            stop=lease,
            longest=self._until_next,
            bell=self._bell,
            on_health=on_health,
        )
        beating = contextlib.nullcontext() if self._heartbeat is None else self._heartbeat.running()
        measured = contextlib.ExitStack()
        measured.enter_context(asked(LAG, self._journal.waiting, NAME))
        measured.enter_context(asked(POSITION, lambda: self._journal.position, NAME))
        try:
            async with contextlib.aclosing(awake), beating:
                async for _ in awake:
                    if not await lease.still_held() or not await self.step():
                        return
                    if self._heartbeat is not None:
                        self._heartbeat.beat()
        finally:
            measured.close()
            await self._leave()

    async def step(self) -> bool:
        """Do all that is due. False: another process has gone on from where we are."""
        if not await asyncio.to_thread(self._decide):
            log.warning("another notifier has gone on from here")
            return False
        self._dispatch()
        return True

    def _decide(self) -> bool:
        """Read, fold, plan, save: in one thread, before anything is sent."""
        state = self._state
        while batch := self._journal.read():
            for recorded in batch:
                if isinstance(recorded.event, NotificationRedriven):
                    state = self._journal.recall(state, recorded.event)
                state = fold(state, recorded.event)
                self._heard(recorded)
        state = _after_planning(state, self._policy, self._outlet.channels, self._clock())
        if not self._journal.save(state):
            return False
        self._state = state
        dead = sum(pending.dead for pending in state.outbox.values())
        DEAD.set(dead)
        WAITING.set(len(state.outbox) - dead)
        return True

    def _heard(self, recorded: Recorded) -> None:
        event = recorded.event
        if type(event) not in FOLDS:
            log.error("an event cannot be read", position=recorded.position, topic=recorded.topic)
            return
        EVENTS_HANDLED.labels(NAME, type(event).__name__, "ok").inc()
        EVENT_DELAY.labels(NAME).observe((datetime.now(UTC) - event.recorded_at).total_seconds())
        if isinstance(event, AlertRaised | AlertResolved):
            log.warning("alert", **_told(event), position=recorded.position)

    def _dispatch(self) -> None:
        """Start sending on every channel that has something to send and is not at it."""
        for pending in ready(self._state, self._tried, self._clock()):
            channel = pending.notice.channel
            if channel in self._sending:
                continue
            self._tried[pending.notice.notification_id] = pending.attempts + 1
            task = asyncio.create_task(self._attempt(pending))
            self._sending[channel] = task
            task.add_done_callback(functools.partial(self._settled, channel))
        self._tried = {key: number for key, number in self._tried.items() if key in self._state.outbox}

    def _settled(self, channel: str, _task: asyncio.Task[None]) -> None:
        del self._sending[channel]
        self._bell.set()

    async def _attempt(self, pending: Pending) -> None:
        """Send a notice once, and record what became of it."""
        notice = pending.notice
        payload, result = await self._sent(pending)
        event = outcome(pending, result, payload.subject, self._recipients(payload, notice.channel), self._clock())
        _measure(event, notice.at)
        while True:
            try:
                await asyncio.to_thread(self._journal.record, event, f"notice:{notice.notification_id}:{event.attempt}")
            except Exception as error:  # noqa: BLE001 - each driver has errors of its own
                # It was sent: as long as this process lives, it knows that and sends it no second time.
                log.warning("an outcome cannot be recorded yet", notice=notice.notification_id, why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _sent(self, pending: Pending) -> tuple[Message, Result]:
        try:
            payload = render(pending.notice, self._public_url)
        except Exception as error:
            log.exception("a notice cannot be put into words", notice=pending.notice.notification_id)
            advice = "Report this with the notifier's log."
            return Message(subject="", text=""), failed(FailureKind.PERMANENT, "UNEXPECTED", repr(error), advice)
        if pending.remaining:
            payload = msgspec.structs.replace(payload, to=pending.remaining)
        return payload, await self._outlet.send_message(pending.notice.channel, payload)

    def _recipients(self, payload: Message, channel: str) -> tuple[str, ...]:
        return payload.to or self._outlet.recipients(channel)

    def _until_next(self) -> float:
        """Seconds until something may be due that is not due now."""
        now = self._clock()
        moments = (
            next_moment(self._state, self._policy, self._outlet.channels, now),
            next_attempt(self._state, now),
        )
        seconds = min(((moment - now).total_seconds() for moment in moments if moment), default=LONGEST_SECONDS)
        return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)

    async def _leave(self) -> None:
        """Let sends that have begun come to an end; what does not is sent again, under the same id."""
        tasks = tuple(self._sending.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LEAVE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _after_planning(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> State:
    state = hushed(state, policy, channels, now)
    for notice in due(state, policy, channels, now):
        state = planned(state, notice)
    return state


def _told(event: Event) -> dict[str, str]:
    said = {"event_type": type(event).__name__, "site": event.site, "project": event.project}
    return said | {name: str(getattr(event, name)) for name in ("code", "message") if hasattr(event, name)}


def _measure(event: NotificationSent | NotificationFailed, decided: datetime) -> None:
    if isinstance(event, NotificationSent):
        NOTIFICATIONS.labels(event.channel, event.reason, "sent", "").inc()
        LATENCY.labels(event.channel).observe(max(0.0, (event.occurred_at - decided).total_seconds()))
        log.info(
            "notice sent",
            notice=event.notification_id,
            channel=event.channel,
            reason=event.reason,
            attempt=event.attempt,
        )
        return
    dead = event.next_attempt_at is None
    NOTIFICATIONS.labels(event.channel, event.reason, "dead" if dead else "retried", event.code).inc()
    log.warning(
        "notice not sent",
        notice=event.notification_id,
        channel=event.channel,
        kind=event.kind,
        code=event.code,
        why=event.message,
        advice=event.advice,
        next_attempt_at=None if dead else str(event.next_attempt_at),
    )
