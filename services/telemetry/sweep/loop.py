"""Once a minute, find the runs that died without an event, and record in their place how they ended.

The end of a run is stored under one idempotency key, by the run itself or by the sweep: whichever comes first counts,
so two sweeps, or a sweep and the run, record it once. The sweep remembers nothing but how far it has looked; after a
start, and for a project that is new here, it looks a day back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from temporalio.client import Client

from libs.events import (
    Append,
    Awaited,
    Change,
    EventStore,
    ProjectKey,
    SyncCancelled,
    SyncEvent,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    end_key,
    scan_checkpoints,
    untaken_key,
)
from libs.temporal.access import refusal
from services.telemetry.measures import RUNS_FOUND
from services.telemetry.sweep import dead_runs
from services.telemetry.sweep.censuses import CensusSweep
from services.telemetry.sweep.dead_runs import Close, How, LoggedRun, Run, RunState, Thresholds, Trouble, Waiting
from services.telemetry.sweep.last_runs import Begun, LastRuns
from services.telemetry.sweep.temporal_runs import RunsOfTemporal

Registered = Callable[[], Collection[ProjectKey]]
"""The projects that are registered in our log. The Temporal server may serve others, too."""

THRESHOLDS: Final = Thresholds()

LOGGED_EVENTS: Final = 2000
"""How far back in a project's sync stream a run's start is looked for. A longer run is recorded with fewer pages."""

log = structlog.get_logger(__name__)


class SweepError(RuntimeError):
    """Some runs could not be checked; the next sweep checks them again."""


async def sweep(
    client: Client,
    store: EventStore,
    registered: Registered,
    stop: Awaited,
    on_health: Callable[[str | None], None] = lambda _reason: None,
    thresholds: Thresholds = THRESHOLDS,
) -> None:
    """Sweep until `stop`. Temporal or the log being away is reported by `on_health`, and outlasted."""
    sweeper = Sweeper(RunsOfTemporal(client), store, registered, thresholds)
    while not stop.is_set():
        pause = min(thresholds.again, thresholds.every)
        try:
            await sweeper.sweep_once()
        except Exception as error:  # whatever it is, the next sweep looks again
            log.warning("the sweep of Temporal's runs failed; it is done again", error=str(error), exc_info=error)
            on_health(f"the sweep of Temporal's runs fails: {refusal(error) or f'{type(error).__name__}: {error}'}")
        else:
            on_health(None)
            pause = thresholds.every
        await stop.sleep(pause)


class Sweeper:
    """One sweep after the other."""

    def __init__(
        self,
        runs: RunsOfTemporal,
        store: EventStore,
        registered: Registered,
        thresholds: Thresholds = THRESHOLDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._runs = runs
        self._store = store
        self._registered = registered
        self._thresholds = thresholds
        self._clock = clock
        self._looked_at: dict[ProjectKey, datetime] = {}
        """Until when each project's runs were looked at."""
        self._last_runs = LastRuns(store)
        self._unknown: dict[str, datetime] = {}
        """Runs that Temporal does not know, by id, since when."""
        self._censuses = CensusSweep(runs, store, thresholds, self._append)

    async def sweep_once(self) -> None:
        """Look at all runs once.

        Raises:
            SweepError: some could not be looked at; the others were.
        """
        now = self._clock()
        projects = frozenset(self._registered())
        if not projects:
            return
        failures = await self._closed(now, projects) + await self._open(now, projects) + await self._lost(now, projects)
        for census in await self._censuses.begun(projects, now):
            await _guarded(census, self._censuses.look_whether_known(census, now), failures)
        if failures:
            raise SweepError(f"{len(failures)} runs could not be looked at, such as {failures[0]}")
        self._looked_at = dict.fromkeys(projects, now)

    async def _closed(self, now: datetime, projects: frozenset[ProjectKey]) -> list[str]:
        look_back = now - timedelta(seconds=self._thresholds.look_back)
        since = min(self._looked_at.get(project, look_back) for project in projects)
        since = max(look_back, since - timedelta(seconds=self._thresholds.overlap + self._thresholds.grace))
        over = now - timedelta(seconds=self._thresholds.grace)
        failures: list[str] = []
        for run, close in await self._runs.closed_since(since, projects):
            if close.at <= over:
                record = self._censuses.record_closed if run.census else self._record_closed
                await _guarded(run, record(run, close), failures)
        return failures

    async def _open(self, now: datetime, projects: frozenset[ProjectKey]) -> list[str]:
        failures: list[str] = []
        for run in await self._runs.open_before(now - timedelta(seconds=self._thresholds.young), projects):
            await _guarded(run, self._look_at_open(run), failures)
        return failures

    async def _lost(self, now: datetime, projects: frozenset[ProjectKey]) -> list[str]:
        silent = now - timedelta(seconds=self._thresholds.lost)
        begun = [each for each in await asyncio.to_thread(self._last_runs.begun, projects) if each.heard_at <= silent]
        self._unknown = {
            run_id: since for run_id, since in self._unknown.items() if run_id in {one.run.run_id for one in begun}
        }
        failures: list[str] = []
        for each in begun:
            await _guarded(each.run, self._look_whether_known(each, now), failures)
        return failures

    async def _look_whether_known(self, begun: Begun, now: datetime) -> None:
        """One look is none: whoever brings Temporal's database back needs a moment."""
        run = begun.run
        if await self._runs.knows(run):
            self._unknown.pop(run.run_id, None)
        elif now - self._unknown.setdefault(run.run_id, now) >= timedelta(seconds=self._thresholds.lost):
            event = dead_runs.lost(run, now, await self._logged_run(run, run.run_id))
            await self._record_end(run, event, How.LOST)

    async def _record_closed(self, run: Run, listed: Close) -> None:
        if await self._outcome(end_key(run.run_id)) is not None:
            return
        first = await self._runs.first_run_id(run) or run.run_id
        if await self._outcome(end_key(first)) is None:
            close = await self._runs.close_of(run, listed)
            event = dead_runs.closed(run, first, close, await self._logged_run(run, first))
            await self._record_end(run, event, close.how)

    async def _look_at_open(self, run: Run) -> None:
        state = await self._runs.state(run)
        if state is None:
            return
        trouble = await self._runs.trouble(run) if dead_runs.is_suspect(state, self._thresholds) else None
        now = self._clock()
        if dead_runs.is_blocked(state, trouble, now, self._thresholds):
            end = self._censuses.end_blocked if run.census else self._end_blocked
            await end(run, state, trouble, now)
            return
        if run.census:
            return
        for step in dead_runs.overdue(state, now, self._thresholds):
            polled = await self._runs.last_polled(step.queue)
            if polled is None or now - polled > timedelta(seconds=self._thresholds.untaken):
                await self._record_untaken(run, step, now)
                return

    async def _end_blocked(self, run: Run, state: RunState, trouble: Trouble | None, now: datetime) -> None:
        """Record it first: after a crash between the two steps the run is found again, and ended."""
        first = await self._runs.first_run_id(run) or run.run_id
        logged = await self._logged_run(run, first)
        event: SyncFailed | SyncCancelled
        if state.cancel_requested:
            reason = "cancelled in Temporal; no ingestor carried it out"
            event, how = dead_runs.cancelled(run, first, now, logged, reason), How.CANCELLED
        else:
            event = dead_runs.blocked(run, first, now, logged, state.task_attempt, trouble)
            how = How.BLOCKED
        await self._record_end(run, event, how)
        await self._runs.terminate(run, event.reason if isinstance(event, SyncCancelled) else event.message)

    async def _record_untaken(self, run: Run, step: Waiting, now: datetime) -> None:
        first = await self._runs.first_run_id(run) or run.run_id
        event = dead_runs.untaken(run, first, now, await self._logged_run(run, first), step)
        await self._append(run, Append(changes=[Change(event=event)], idempotency_key=untaken_key(first)), How.UNTAKEN)

    async def _record_end(self, run: Run, event: SyncFailed | SyncCancelled, how: How) -> None:
        forget = [f"{scan_checkpoints(*run.project, event.run_id)}*"]
        await self._append(
            run, Append(changes=[Change(event=event)], forget=forget, idempotency_key=end_key(event.run_id)), how
        )

    async def _append(self, run: Run, append: Append, how: How) -> None:
        done = await asyncio.to_thread(self._store.append, append)
        if not done.repeated:
            RUNS_FOUND.labels(*run.project, how.value).inc()
            log.warning(
                "a run did not record its end",
                site=run.project.site,
                project=run.project.key,
                how=how.value,
                run_id=run.run_id,
            )

    async def _logged_run(self, run: Run, first_run_id: str) -> LoggedRun:
        return await asyncio.to_thread(_logged_run, self._store, run, first_run_id)

    async def _outcome(self, idempotency_key: str) -> bytes | None:
        return await asyncio.to_thread(self._store.outcome, idempotency_key)


def _logged_run(store: EventStore, run: Run, first_run_id: str) -> LoggedRun:
    stream = SyncEvent.stream_of(run.project.site, run.project.key)
    head = store.heads([stream]).get(stream)
    if head is None:
        return LoggedRun()
    logged = LoggedRun()
    for event in store.stream(stream, after=max(0, head.version - LOGGED_EVENTS)):
        if isinstance(event, SyncStarted) and event.run_id == first_run_id:
            logged = msgspec.structs.replace(logged, mode=event.mode, started_at=event.occurred_at)
        elif isinstance(event, SyncPageRecorded) and event.run_id == first_run_id:
            logged = msgspec.structs.replace(logged, pages=logged.pages + (not event.left))
    return logged


async def _guarded(run: Run, looked_at: Awaitable[None], failures: list[str]) -> None:
    """One run that cannot be looked at must not hide the others."""
    try:
        await looked_at
    except Exception as error:
        log.warning("a run could not be looked at", workflow_id=run.workflow_id, run_id=run.run_id, exc_info=error)
        failures.append(f"{run.workflow_id} ({type(error).__name__}: {error})")
