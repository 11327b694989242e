"""Once a minute, find the runs that died without a word, and say in their place how they ended.

Temporal is looked at for what the log does not have: whatever the log holds under a run's end key is believed, and what
is said here is said under it, so that two sweeps, or a sweep and the run itself, say it once. Nothing is remembered
but how far was looked; after a start, and for a project that is new here, that is a day back.
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
from services.telemetry.sweep.dead_runs import Close, How, Run, Standing, Story, Thresholds, Trouble, Waiting
from services.telemetry.sweep.temporal_runs import RunsOfTemporal

Known = Callable[[], Collection[tuple[str, str]]]
"""The (site, project) that our log knows as registered. The Temporal server may serve others, too."""

THRESHOLDS: Final = Thresholds()

STORY_EVENTS: Final = 2000
"""How far back in a project's sync stream a run's beginning is looked for. A longer run is told with fewer pages."""

log = structlog.get_logger(__name__)


class SweepError(RuntimeError):
    """Some runs could not be looked at; the next sweep does it again."""


async def sweep(
    client: Client,
    store: EventStore,
    known: Known,
    stop: Awaited,
    on_health: Callable[[str | None], None] = lambda _reason: None,
    thresholds: Thresholds = THRESHOLDS,
) -> None:
    """Sweep until `stop`. Temporal or the log being away is reported by `on_health`, and outlasted."""
    sweeper = Sweeper(RunsOfTemporal(client), store, known, thresholds)
    while not stop.is_set():
        try:
            await sweeper.idempotency_key()
        except Exception as error:  # whatever it is, the next sweep looks again
            log.warning("the sweep of Temporal's runs failed; it is done again", error=str(error), exc_info=error)
            on_health(f"the sweep of Temporal's runs fails: {refusal(error) or f'{type(error).__name__}: {error}'}")
        else:
            on_health(None)
        await stop.sleep(thresholds.every)


class Sweeper:
    """One sweep after the other."""

    def __init__(
        self,
        runs: RunsOfTemporal,
        store: EventStore,
        known: Known,
        thresholds: Thresholds = THRESHOLDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._runs = runs
        self._store = store
        self._known = known
        self._thresholds = thresholds
        self._clock = clock
        self._looked_at: dict[tuple[str, str], datetime] = {}
        """Until when each project's runs were looked at."""

    async def idempotency_key(self) -> None:
        """Look at all runs once.

        Raises:
            SweepError: some could not be looked at; the others were.
        """
        now = self._clock()
        projects = frozenset(self._known())
        if not projects:
            return
        failures = await self._closed(now, projects) + await self._open(now, projects)
        if failures:
            raise SweepError(f"{len(failures)} runs could not be looked at, such as {failures[0]}")
        self._looked_at = dict.fromkeys(projects, now)

    async def _closed(self, now: datetime, projects: frozenset[tuple[str, str]]) -> list[str]:
        look_back = now - timedelta(seconds=self._thresholds.look_back)
        since = min(self._looked_at.get(project, look_back) for project in projects)
        since = max(look_back, since - timedelta(seconds=self._thresholds.overlap + self._thresholds.grace))
        settled = now - timedelta(seconds=self._thresholds.grace)
        failures: list[str] = []
        for run, close in await self._runs.closed_since(since, projects):
            if close.at <= settled:
                await _guarded(run, self._tell_closed(run, close), failures)
        return failures

    async def _open(self, now: datetime, projects: frozenset[tuple[str, str]]) -> list[str]:
        failures: list[str] = []
        for run in await self._runs.open_before(now - timedelta(seconds=self._thresholds.young), projects):
            await _guarded(run, self._look_at_open(run), failures)
        return failures

    async def _tell_closed(self, run: Run, listed: Close) -> None:
        if await self._outcome(end_key(run.run_id)) is not None:
            return
        first = await self._runs.first_run_id(run) or run.run_id
        if await self._outcome(end_key(first)) is None:
            close = await self._runs.close_of(run, listed)
            event = dead_runs.closed(run, first, close, await self._story(run, first))
            await self._tell_end(run, event, close.how)

    async def _look_at_open(self, run: Run) -> None:
        standing = await self._runs.standing(run)
        if standing is None:
            return
        trouble = await self._runs.trouble(run) if dead_runs.is_suspect(standing, self._thresholds) else None
        now = self._clock()
        if dead_runs.is_blocked(standing, trouble, now, self._thresholds):
            await self._end_blocked(run, standing, trouble, now)
            return
        for step in dead_runs.overdue(standing, now, self._thresholds):
            polled = await self._runs.last_polled(step.queue)
            if polled is None or now - polled > timedelta(seconds=self._thresholds.untaken):
                await self._tell_untaken(run, step, now)
                return

    async def _end_blocked(self, run: Run, standing: Standing, trouble: Trouble | None, now: datetime) -> None:
        """Say it first: after a crash between the two the run is found again, and ended."""
        first = await self._runs.first_run_id(run) or run.run_id
        story = await self._story(run, first)
        event: SyncFailed | SyncCancelled
        if standing.cancel_requested:
            reason = "cancelled in Temporal; no ingestor carried it out"
            event, how = dead_runs.cancelled(run, first, now, story, reason), How.CANCELLED
        else:
            event = dead_runs.blocked(run, first, now, story, standing.task_attempt, trouble)
            how = How.BLOCKED
        await self._tell_end(run, event, how)
        await self._runs.terminate(run, event.reason if isinstance(event, SyncCancelled) else event.message)

    async def _tell_untaken(self, run: Run, step: Waiting, now: datetime) -> None:
        first = await self._runs.first_run_id(run) or run.run_id
        event = dead_runs.untaken(run, first, now, await self._story(run, first), step)
        await self._tell(run, Append(changes=[Change(event=event)], idempotency_key=untaken_key(first)), How.UNTAKEN)

    async def _tell_end(self, run: Run, event: SyncFailed | SyncCancelled, how: How) -> None:
        forget = [f"{scan_checkpoints(run.site, run.project, event.run_id)}*"]
        await self._tell(
            run, Append(changes=[Change(event=event)], forget=forget, idempotency_key=end_key(event.run_id)), how
        )

    async def _tell(self, run: Run, append: Append, how: How) -> None:
        done = await asyncio.to_thread(self._store.append, append)
        if not done.repeated:
            RUNS_FOUND.labels(run.site, run.project, how.value).inc()
            log.warning(
                "a run did not tell its end", site=run.site, project=run.project, how=how.value, run_id=run.run_id
            )

    async def _story(self, run: Run, first_run_id: str) -> Story:
        return await asyncio.to_thread(_story, self._store, run, first_run_id)

    async def _outcome(self, idempotency_key: str) -> bytes | None:
        return await asyncio.to_thread(self._store.outcome, idempotency_key)


def _story(store: EventStore, run: Run, first_run_id: str) -> Story:
    stream = SyncEvent.stream_of(run.site, run.project)
    head = store.heads([stream]).get(stream)
    if head is None:
        return Story()
    story = Story()
    for event in store.stream(stream, after=max(0, head.version - STORY_EVENTS)):
        if isinstance(event, SyncStarted) and event.run_id == first_run_id:
            story = msgspec.structs.replace(story, mode=event.mode, started_at=event.occurred_at)
        elif isinstance(event, SyncPageRecorded) and event.run_id == first_run_id:
            story = msgspec.structs.replace(story, pages=story.pages + 1)
    return story


async def _guarded(run: Run, looked_at: Awaitable[None], failures: list[str]) -> None:
    """One run that cannot be looked at must not hide the others."""
    try:
        await looked_at
    except Exception as error:
        log.warning("a run could not be looked at", workflow_id=run.workflow_id, run_id=run.run_id, exc_info=error)
        failures.append(f"{run.workflow_id} ({type(error).__name__}: {error})")
