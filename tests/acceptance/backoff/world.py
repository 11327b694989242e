"""A small world for tests of the backoff: everything of ours is real but Temporal, and a seed decides the order.

Whoever touches the log or a schedule waits first to be chosen, so that the seed decides in which order things happen:
two ingestors and two telemetries step between one another's reads and writes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from temporalio.client import Schedule, ScheduleActionStartWorkflow

from libs.events import (
    Append,
    Appended,
    Change,
    Event,
    EventStore,
    ProjectKey,
    ProjectRegistered,
    ProjectUnregistered,
    SchedulePaused,
    ScheduleResumed,
    StoreError,
    command_key,
    end_key,
    stream_id,
)
from libs.temporal.messages import AnyCommand, ProjectRef
from libs.temporal.proof import sealed
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ObservedSchedule, ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.control.state import ControlState, fold_control
from services.ingestor.event_log import EventLog
from services.telemetry.backoff import Rules
from services.telemetry.backoff_commands import BackoffCommand, command_for
from services.telemetry.projects import Projects
from tests.unit.services.telemetry.course import PROJECT, SITE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULES = Rules()
LIFTS: Final = (ScheduleResumed, ProjectRegistered, ProjectUnregistered)

REF: Final = ProjectRef(site=SITE, project=PROJECT)

T = TypeVar("T")


class Interleaving:
    """Lets one of those who wait go on at a time, chosen by the dice."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self._waiting: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def next(self) -> None:
        """Wait to be chosen."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def until_all_is_done(self, after_each: Callable[[], None]) -> None:
        while self._tasks:
            for _ in range(6):  # until everybody waits to be chosen, for a lock or for nothing any more
                await asyncio.sleep(0)
            for task in [task for task in self._tasks if task.done()]:
                self._tasks.remove(task)
                task.result()
            after_each()
            if self._waiting:
                self._waiting.pop(self.dice.randrange(len(self._waiting))).set_result(None)


class InterleavedLog(EventLog):
    """The log of an ingestor."""

    def __init__(self, store: EventStore, interleaving: Interleaving) -> None:
        super().__init__(store)
        self._interleaving = interleaving

    async def _in(self, executor: ThreadPoolExecutor | None, call: Callable[[], T]) -> T:
        del executor  # one goes on at a time: that keeps writers apart
        await self._interleaving.next()
        return call()


class Temporal:
    """Stands for the server: one schedule, and the token that each change of it renews."""

    def __init__(self) -> None:
        self.schedule: Schedule | None = None
        self.changes = 0

    @property
    def paused(self) -> bool:
        return self.schedule is not None and self.schedule.state.paused

    def set_paused(self, *, paused: bool) -> None:
        assert self.schedule is not None
        self.schedule.state.paused, self.schedule.state.note = paused, "by hand"
        self.changes += 1

    def put(self, schedule: Schedule | None) -> None:
        self.schedule = schedule
        self.changes += 1


class Gateway(ScheduleGateway):
    """Makes schedules as the real one does, and writes them into the stand-in."""

    def __init__(self, temporal: Temporal, interleaving: Interleaving) -> None:
        self._temporal, self._interleaving, self._jitter = temporal, interleaving, timedelta(0)

    async def observe(self, project: ProjectKey) -> ObservedSchedule | None:
        del project
        await self._interleaving.next()
        schedule = self._temporal.schedule
        if schedule is None:
            return None
        token = str(self._temporal.changes).encode()
        return ObservedSchedule(
            {"version": version_of(schedule)}, schedule.state.paused, schedule.state.note or "", (), token
        )

    async def write(self, project: ProjectKey, desired: ControlState, observed: ObservedSchedule | None) -> None:
        await self._interleaving.next()
        token = str(self._temporal.changes).encode()
        there = self._temporal.schedule is not None
        if (observed is not None) != there or (observed is not None and observed.token != token):
            return  # as the server does: without a word
        self._temporal.put(self.whole(project, desired) if desired.registered else None)


class Shaky(EventStore):
    """The log as telemetry has it: before and after an append, something may happen."""

    def __init__(self, store: EventStore) -> None:
        super().__init__(store._log, store.url)
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def append(self, append: Append) -> Appended:
        self.before()
        done = super().append(append)
        self.after()
        return done


class World:
    """One project, two ingestors, two telemetries, one Temporal."""

    def __init__(self, store: EventStore, seed: int) -> None:
        self.dice = random.Random(seed)
        self.store, self.interleaving, self.temporal = store, Interleaving(self.dice), Temporal()
        self.ingestors = [
            ControlActivities(
                log, Gateway(self.temporal, self.interleaving), "http://jira", Proofs(log, SiteAlerts(log, SITE))
            )
            for log in (InterleavedLog(store, self.interleaving) for _ in range(2))
        ]
        self.working = 0
        self._paused_since: int | None = None
        """Somebody's pause has taken effect: so many times one had been lifted by then."""
        self.touches: list[tuple[bool, int]] = []
        """What hands did in Temporal's own console, and how long the control stream was then."""
        self._counted = (0, 0)
        self._runs = 0

    def events(self) -> list[Event]:
        return [one.event for one in self.store.read(0, 100_000)]

    def control(self) -> list[Event]:
        return self.store.stream(stream_id(SITE, "control", PROJECT))

    def state(self) -> ControlState:
        return fold_control(self.control())

    async def run_ends(self, end: Event) -> None:
        """A run of the project ends so; its end is stored once, however often it is recorded."""
        await self.interleaving.next()
        self._runs += 1
        when = NOON + timedelta(minutes=self._runs, microseconds=self.dice.randrange(10**6))
        fields: Any = {"occurred_at": when, "run_id": f"run-{self._runs}"}
        append = Append(
            changes=[Change(event=msgspec.structs.replace(end, **fields))], idempotency_key=end_key(fields["run_id"])
        )
        for _ in range(self.dice.choice((1, 1, 2))):
            self.store.append(append)

    async def carry_out(self, command: AnyCommand) -> None:
        """As the control workflow does, with steps that may be repeated by another ingestor after a crash."""
        await self._step(lambda ingestor: ingestor.adopt_schedule(REF))
        given = sealed(command, command_key(self.store))
        await self._step(lambda ingestor: ingestor.record_command(given))
        await self._step(lambda ingestor: ingestor.apply_schedule(REF))

    async def look_after(self) -> None:
        """The ingestor's regular look at the schedule: it finds what hands have done in Temporal's own console."""
        await self._step(lambda ingestor: ingestor.adopt_schedule(REF))
        await self._step(lambda ingestor: ingestor.apply_schedule(REF))

    async def _step(self, step: Callable[[ControlActivities], Awaitable[Any]]) -> None:
        for _ in range(self.dice.choice((1, 1, 1, 2))):
            await step(self.dice.choice(self.ingestors))

    def projects(self) -> Projects:
        made = Projects(self.store, RULES)
        made.load()
        return made

    async def telemetry(self) -> None:
        """Follow the log while others are at work. It dies at any point, and another one takes its place."""
        shaky = Shaky(self.store)
        projects: Projects | None = None
        while self.working or self.dice.random() < 0.5:
            await self.interleaving.next()
            shaky.before, shaky.after = self._mishap(), self._mishap()
            try:
                if projects is None or self.dice.random() < 0.1:
                    projects = Projects(shaky, RULES)
                    projects.load()
                projects.step(self.dice.choice((1, 2, 3, 500)))
            except StoreError:
                projects = None
                continue
            for state in projects.states.values():
                if (command := command_for(state)) is not None and self.dice.random() < 0.7:
                    self._send(command)

    def _mishap(self) -> Callable[[], None]:
        """What happens around an append: mostly nothing."""

        def die() -> None:
            raise StoreError("gone")

        def be_overtaken() -> None:
            self.projects().step(self.dice.choice((1, 500)))

        return self.dice.choices((lambda: None, die, be_overtaken), (6, 1, 1))[0]

    def _send(self, command: BackoffCommand) -> None:
        """It may arrive late or twice, and its answer is lost."""
        for _ in range(self.dice.choice((1, 1, 2))):
            self.interleaving.begin(self.carry_out(command))

    async def settle(self) -> None:
        """Telemetry reads to the end, and what it asks for is carried out, until it asks for nothing."""
        self.interleaving.begin(self.look_after())
        await self.interleaving.until_all_is_done(self.check_pause)
        while True:
            projects = self.projects()
            while projects.step():
                pass
            commands = [command for state in projects.states.values() if (command := command_for(state)) is not None]
            if not commands:
                return
            for command in commands:
                self.interleaving.begin(self.carry_out(command))
            await self.interleaving.until_all_is_done(self.check_pause)

    def pause_counts(self) -> None:
        """A pause has taken effect."""
        self._paused_since = self._lifted()

    def pause_is_lifted(self) -> None:
        self._paused_since = None

    def check_pause(self) -> None:
        if self._paused_since is not None and self._paused_since == self._lifted():
            assert self.temporal.paused, "somebody's pause was undone"

    def _lifted(self) -> int:
        if self._counted[0] != (head := self.store.head()):
            self._counted = head, sum(isinstance(event, LIFTS) for event in self.control())
        return self._counted[1]

    def hand(self, *, pause: bool) -> None:
        """Somebody pauses or resumes in Temporal's own console."""
        schedule = self.temporal.schedule
        if schedule is None or schedule.state.paused == pause:
            return
        self.temporal.set_paused(paused=pause)
        self.touches.append((pause, len(self.control())))
        if not pause:
            self.pause_is_lifted()
        elif not any(isinstance(event, (SchedulePaused, *LIFTS)) for event in self.control()[version_of(schedule) :]):
            self.pause_counts()  # else a command is on its way to the schedule, and nobody knows which is newer


def version_of(schedule: Schedule) -> int:
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    version: Any = (action.memo or {})["version"]
    return int(version)
