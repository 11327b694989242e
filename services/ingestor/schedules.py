"""The one writer of Temporal schedules.

A schedule is made whole from our own events each time it is written: the server keeps no cron text (it parses it into
calendars and forgets it), and an update replaces everything, pause included. So nothing is ever read back from
Temporal to be written again; the revision in the action's memo tells whether Temporal already has what our log says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from libs.events import Event, ProjectRegistered, ScheduleChanged, SchedulePaused, ScheduleResumed
from libs.temporal import names
from libs.temporal.messages import SyncInput

CATCH_UP = timedelta(minutes=15)
"""Ticks missed for longer than this are dropped: the next run fetches what they would have fetched."""

RUN_BACKSTOP = timedelta(hours=6)
"""A run that hangs blocks its schedule, so Temporal ends it in the end."""

TASK_TIMEOUT = timedelta(seconds=5)


class ProjectSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The schedule of one project, as its control events say."""

    site: str
    project: str
    cron: str
    timezone: str
    paused: bool = False
    revision: int = 1


def fold_schedule(events: Iterable[Event]) -> ProjectSchedule | None:
    """The schedule that a project's control events amount to; None when the project was never registered."""
    schedule: ProjectSchedule | None = None
    for event in events:
        if isinstance(event, ProjectRegistered):
            schedule = ProjectSchedule(site=event.site, project=event.key, cron=event.cron, timezone=event.timezone)
        elif schedule is None:
            continue
        elif isinstance(event, ScheduleChanged):
            schedule = msgspec.structs.replace(
                schedule, cron=event.cron, timezone=event.timezone, revision=event.revision
            )
        elif isinstance(event, SchedulePaused):
            schedule = msgspec.structs.replace(schedule, paused=True)
        elif isinstance(event, ScheduleResumed):
            schedule = msgspec.structs.replace(schedule, paused=False)
    return schedule


class ScheduleGateway:
    """Writes schedules to Temporal. Every method may be called again after a crash."""

    def __init__(self, client: Client, jitter: timedelta) -> None:
        self._client = client
        self._jitter = jitter

    async def ensure(self, schedule: ProjectSchedule) -> bool:
        """Make Temporal hold `schedule`. True when it was created now; then the first run starts at once."""
        try:
            await self._client.create_schedule(
                names.schedule_id(schedule.site, schedule.project),
                self._whole(schedule),
                trigger_immediately=not schedule.paused,
            )
        except ScheduleAlreadyRunningError:
            handle = self._handle(schedule.site, schedule.project)
            if await _revision(await handle.describe()) != schedule.revision:
                await handle.update(lambda _: self._update(_, schedule))
            return False
        return True

    async def trigger(self, site: str, project: str) -> bool:
        """Run now, or right after the run in progress. False when Temporal has lost the schedule."""
        try:
            # Under SKIP a trigger during a run would do nothing, silently.
            await self._handle(site, project).trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    def _handle(self, site: str, project: str) -> ScheduleHandle:
        return self._client.get_schedule_handle(names.schedule_id(site, project))

    def _update(self, _: ScheduleUpdateInput, schedule: ProjectSchedule) -> ScheduleUpdate:
        return ScheduleUpdate(schedule=self._whole(schedule))

    def _whole(self, schedule: ProjectSchedule) -> Schedule:
        return Schedule(
            action=ScheduleActionStartWorkflow(
                names.SYNC_WORKFLOW,
                SyncInput(site=schedule.site, project=schedule.project),
                id=names.sync_workflow_id(schedule.site, schedule.project),
                task_queue=names.SYNC_QUEUE,
                execution_timeout=RUN_BACKSTOP,
                task_timeout=TASK_TIMEOUT,
                memo={"revision": schedule.revision, "cron": schedule.cron, "timezone": schedule.timezone},
            ),
            # What follows # survives in the calendar's comment: a visible stamp in Temporal's own console.
            spec=ScheduleSpec(
                cron_expressions=[f"{schedule.cron} # revision {schedule.revision}"],
                time_zone_name=schedule.timezone,
                jitter=self._jitter,
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
            state=ScheduleState(paused=schedule.paused),
        )


async def _revision(description: ScheduleDescription) -> int | None:
    action = description.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow) or not action.memo:
        return None
    payload = action.memo.get("revision")
    return None if payload is None else int(msgspec.json.decode(payload.data))
