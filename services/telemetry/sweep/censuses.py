"""Censuses that died, and what is recorded in their place; the sweep's loop finds them beside the syncs.

Their end is stored under one key as well. A census tells no beginning: what has begun is known by the mark that it
leaves beside the log, until the next one begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from libs.events import (
    Append,
    CensusFailed,
    Change,
    EventStore,
    ProjectKey,
    census_end_key,
    census_requests,
    census_runs,
)
from services.telemetry.sweep import dead_censuses
from services.telemetry.sweep.dead_runs import Close, How, Run, RunState, Thresholds, Trouble
from services.telemetry.sweep.temporal_runs import RunsOfTemporal

Record = Callable[[Run, Append, How], Awaitable[None]]


class CensusSweep:
    """What a sweep does about censuses."""

    def __init__(self, runs: RunsOfTemporal, store: EventStore, thresholds: Thresholds, record: Record) -> None:
        self._runs = runs
        self._store = store
        self._thresholds = thresholds
        self._record = record
        self._unknown: dict[str, datetime] = {}
        """Censuses that Temporal does not list, by run id, since when."""

    async def begun(self, projects: Collection[ProjectKey], now: datetime) -> list[Run]:
        """Those of these projects that have not told their end."""
        found = await asyncio.to_thread(self._begun, projects, now)
        self._unknown = {run.run_id: self._unknown[run.run_id] for run in found if run.run_id in self._unknown}
        return found

    async def look_whether_known(self, run: Run, now: datetime) -> None:
        """One look is none, as of a sync."""
        if await self._runs.lists(run.run_id):
            self._unknown.pop(run.run_id, None)
        elif now - self._unknown.setdefault(run.run_id, now) >= timedelta(seconds=self._thresholds.lost):
            # When it began is not known, so what it was to serve is left to the next one.
            await self._record_end(run, dead_censuses.lost(run, now), How.LOST)

    async def record_closed(self, run: Run, listed: Close) -> None:
        if listed.how is How.CANCELLED:
            await asyncio.to_thread(self._forget, run)
        elif await asyncio.to_thread(self._store.outcome, census_end_key(run.run_id)) is None:
            close = await self._runs.close_of(run, listed)
            await self._record_end(run, dead_censuses.closed(run, close), close.how, await self._served(run))

    async def end_blocked(self, run: Run, state: RunState, trouble: Trouble | None, now: datetime) -> None:
        """Record it first: after a crash between the two steps the census is found again, and ended."""
        if state.cancel_requested:
            await self._runs.terminate(run, "cancelled in Temporal; no ingestor carried it out")
            return
        event = dead_censuses.blocked(run, now, state.task_attempt, trouble)
        await self._record_end(run, event, How.BLOCKED, await self._served(run))
        await self._runs.terminate(run, event.message)

    async def _record_end(self, run: Run, event: CensusFailed, how: How, served: Sequence[str] = ()) -> None:
        end = Append(changes=[Change(event=event)], forget=[*served], idempotency_key=census_end_key(run.run_id))
        await self._record(run, end, how)

    def _begun(self, projects: Collection[ProjectKey], now: datetime) -> list[Run]:
        found: list[Run] = []
        for project in projects:
            prefix = census_runs(*project)
            run_ids = {name.removeprefix(prefix).partition("/")[0] for name in self._store.checkpoints(prefix)}
            found += [
                Run(project=project, census=True, workflow_id="", run_id=run_id, started_at=now)
                for run_id in run_ids
                if self._store.outcome(census_end_key(run_id)) is None
            ]
        return found

    async def _served(self, run: Run) -> list[str]:
        """As a census forgets them that fails: a person's word that so much may go must not wait for a later one."""
        requests = await asyncio.to_thread(self._store.checkpoints, census_requests(*run.project))
        asked = {name: msgspec.json.decode(stored, type=_Request).asked_at for name, stored in requests.items()}
        return [name for name, at in asked.items() if at <= run.started_at]

    def _forget(self, run: Run) -> None:
        """One that was cancelled tells no end, and is not to be missed when Temporal does not know it any more."""
        mark = f"{census_runs(*run.project)}{run.run_id}/"
        if self._store.checkpoint(mark) is not None:
            self._store.append(Append(forget=[f"{mark}*"]))


class _Request(msgspec.Struct):
    asked_at: datetime
