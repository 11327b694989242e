"""The loop: lead, load, read, decide, save, send, record; in this order below.

A notification is sent only after it was saved, and what follows from its outcome is read from the log: so wherever the
process dies, the next one sends the same notification under the same id, or knows that it was sent.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from libs.events import Event, EventStore, Lease, NotificationRedriven, lead_by_lease, waiting_seconds, wakes
from libs.runtime import LAG, POSITION, Stop, asked
from services.notifier.delivery.attempt import attempt, record
from services.notifier.delivery.retries import next_attempt, ready
from services.notifier.delivery.send import Outlet
from services.notifier.fold import fold, with_dead_letter
from services.notifier.heartbeat import Heartbeat
from services.notifier.measures import observe_event, observe_outcome, observe_state
from services.notifier.policy.due import decided, next_moment
from services.notifier.policy.rules import Policy
from services.notifier.saved_state import NAME, TOPICS, parts_of, saved_reader, state_of
from services.notifier.state import Pending, State

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
    """One process: its place in the log, its state there, and the sends that it has begun."""

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
        self._public_url, self._clock, self._heartbeat = public_url, clock, heartbeat
        self._reader = saved_reader(store)
        self._state = State()
        self._bell = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}
        """By channel: each sends one after the other, and none waits for another."""
        self._tried: dict[str, int] = {}
        """By notification, the last attempt that was begun: the log may not say so yet."""

    async def run(self, nats_url: str, stop: Stop, on_health: Callable[[str | None], None]) -> None:
        """Work while this process leads, stand by while another one does, until told to stop."""

        async def lead(lease: Lease) -> None:
            await self._lead(nats_url, lease, on_health)

        await lead_by_lease(self._store.url, NAME, stop, lead, on_health=on_health, on_standby=lambda: on_health(None))

    async def _lead(self, nats_url: str, lease: Lease, on_health: Callable[[str | None], None]) -> None:
        """Load, then a step at every wake, until the lease is over or another process has gone on from here."""
        await asyncio.to_thread(self._load)
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
        measured.enter_context(asked(LAG, self._waiting, NAME))
        measured.enter_context(asked(POSITION, lambda: self._reader.position, NAME))
        try:
            async with contextlib.aclosing(awake), beating:
                async for _ in awake:
                    if not await lease.still_held() or not await self.step():
                        return
                    if self._heartbeat is not None:
                        self._heartbeat.beat()
        finally:
            measured.close()
            await self._finish_sending()

    def _load(self) -> None:
        self._state, self._tried = state_of(self._reader.load()), {}

    async def step(self) -> bool:
        """Do all that is due. False: another process has gone on from where we are."""
        if not await asyncio.to_thread(self._read_decide_save):
            log.warning("another notifier has gone on from here")
            return False
        self._send()
        return True

    def _read_decide_save(self) -> bool:
        """In one thread, before anything is sent."""
        state, _ = decided(self._read(), self._policy, self._outlet.channels, self._clock())
        if not self._reader.save_all(parts_of(state)):
            return False
        self._state = state
        observe_state(state)
        return True

    def _read(self) -> State:
        """The state after everything that is in the log by now."""
        state = self._state
        while batch := self._reader.read():
            for recorded in batch:
                observe_event(recorded)
                state = fold(self._with_dead_letter(state, recorded.event), recorded.event)
        return state

    def _with_dead_letter(self, state: State, event: Event) -> State:
        """With the dead letter that is to be tried again, also where it is too old to be kept."""
        if not isinstance(event, NotificationRedriven) or event.notification_id in state.outbox:
            return state
        earlier = self._store.stream(event.stream_id)[: event.stream_version - 1]
        return with_dead_letter(state, event.notification_id, earlier)

    def _send(self) -> None:
        """Begin to send on every channel that has something to send and is not at it."""
        for pending in ready(self._state, self._tried, self._clock()):
            channel = pending.notification.channel
            if channel in self._sending:
                continue
            self._tried[pending.notification.notification_id] = pending.attempts + 1
            task = asyncio.create_task(self._attempt(pending))
            self._sending[channel] = task
            task.add_done_callback(functools.partial(self._channel_is_free, channel))
        self._tried = {key: number for key, number in self._tried.items() if key in self._state.outbox}

    def _channel_is_free(self, channel: str, _task: asyncio.Task[None]) -> None:
        del self._sending[channel]
        self._bell.set()

    async def _attempt(self, pending: Pending) -> None:
        """Send a notification once, and record what became of it."""
        event = await attempt(pending, self._outlet, self._public_url, self._clock)
        observe_outcome(event, pending.notification.at)
        while True:
            try:
                await asyncio.to_thread(record, self._store, event)
            except Exception as error:  # noqa: BLE001 - each driver has errors of its own
                # It was sent: as long as this process lives, it knows that and sends it no second time.
                log.warning("an outcome cannot be recorded yet", notification=event.notification_id, why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _finish_sending(self) -> None:
        """Let sends that have begun come to an end; what does not is sent again, under the same id."""
        tasks = tuple(self._sending.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LEAVE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _until_next(self) -> float:
        """Seconds until something may be due that is not due now."""
        now = self._clock()
        moments = (
            next_moment(self._state, self._policy, self._outlet.channels, now),
            next_attempt(self._state, now),
        )
        seconds = min(((moment - now).total_seconds() for moment in moments if moment), default=LONGEST_SECONDS)
        return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)

    def _waiting(self) -> float:
        """Seconds that the oldest event which has not been read yet has waited."""
        return waiting_seconds(self._store, self._reader.position, TOPICS)
