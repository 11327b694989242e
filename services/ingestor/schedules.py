"""The one writer of Temporal schedules.

A schedule is made whole from our own events each time it is written: the server keeps no cron text (it parses it into
calendars and forgets it), and an update replaces everything, pause included. So nothing is ever read back from
Temporal to be written again; the version in the action's memo tells whether Temporal already has what our log says.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from temporalio.api.enums.v1 import ScheduleOverlapPolicy as WireOverlapPolicy
from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import PatchScheduleRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from libs.temporal import names
from libs.temporal.messages import SyncInput
from services.ingestor.control_state import ControlState

CATCH_UP = timedelta(minutes=15)
"""Ticks missed for longer than this are dropped: the next run fetches what they would have fetched."""

RUN_BACKSTOP = timedelta(hours=6)
"""A run that hangs blocks its schedule, so Temporal ends it in the end."""

TASK_TIMEOUT = timedelta(seconds=5)

LONG_PAUSE = timedelta(days=6)
"""Temporal deletes a schedule that was paused for a week when it is resumed (temporal issue 9752): after a pause this
long it is made anew instead."""


class Held(NamedTuple):
    """What Temporal holds of a schedule."""

    version: int | None
    """Of the control state that it was written from; None when somebody else made it."""
    paused: bool
    note: str
    running: tuple[str, ...]
    """Workflow ids of its runs in progress."""


class ScheduleGateway:
    """Writes schedules to Temporal. Every method may be called again after a crash."""

    def __init__(self, client: Client, jitter: timedelta) -> None:
        self._client = client
        self._jitter = jitter

    async def held(self, site: str, project: str) -> Held | None:
        """What Temporal holds now; None when it has no such schedule."""
        try:
            description = await self._handle(site, project).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise
        state = description.schedule.state
        running = tuple(
            action.workflow_id
            for action in description.info.running_actions
            if isinstance(action, ScheduleActionExecutionStartWorkflow)
        )
        return Held(_version(description), state.paused, state.note or "", running)

    async def write(self, site: str, project: str, wanted: ControlState, held: Held | None) -> None:
        """Make Temporal hold `wanted` instead of `held`. Another writer may have been at it meanwhile: look again."""
        if not wanted.registered:
            await self._remove(site, project, held)
            return
        if held is not None and held.paused and not wanted.paused:
            await self._delete_after_long_pause(site, project)
        whole = self._whole(site, project, wanted)
        try:
            await self._client.create_schedule(names.schedule_id(site, project), whole)
        except ScheduleAlreadyRunningError:
            await self._handle(site, project).update(lambda _: ScheduleUpdate(schedule=whole))

    async def trigger(self, site: str, project: str, request_id: str) -> bool:
        """Run now, or right after the run in progress. False when Temporal has lost the schedule.

        The server takes a request id once, so that a repetition after a crash starts no second run; the SDK's own
        `trigger` makes a new id each time. Under the schedule's SKIP a trigger during a run would do nothing, silently.
        """
        now = TriggerImmediatelyRequest(overlap_policy=WireOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE)
        request = PatchScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=names.schedule_id(site, project),
            identity=self._client.identity,
            request_id=request_id,
            patch=SchedulePatch(trigger_immediately=now),
        )
        try:
            await self._client.workflow_service.patch_schedule(request)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def _remove(self, site: str, project: str, held: Held | None) -> None:
        """Delete the schedule, and cancel the run that it has started."""
        if held is None:
            return
        await self._delete(site, project)
        for workflow_id in held.running:
            with contextlib.suppress(RPCError):  # it has ended meanwhile
                await self._client.get_workflow_handle(workflow_id).cancel()

    async def _delete_after_long_pause(self, site: str, project: str) -> None:
        description = await self._handle(site, project).describe()
        written = description.info.last_updated_at or description.info.created_at
        if datetime.now(UTC) - written > LONG_PAUSE:
            await self._delete(site, project)

    async def _delete(self, site: str, project: str) -> None:
        try:
            await self._handle(site, project).delete()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise

    def _handle(self, site: str, project: str) -> ScheduleHandle:
        return self._client.get_schedule_handle(names.schedule_id(site, project))

    def _whole(self, site: str, project: str, wanted: ControlState) -> Schedule:
        return Schedule(
            action=ScheduleActionStartWorkflow(
                names.SYNC_WORKFLOW,
                SyncInput(site=site, project=project),
                id=names.sync_workflow_id(site, project),
                task_queue=names.SYNC_QUEUE,
                execution_timeout=RUN_BACKSTOP,
                task_timeout=TASK_TIMEOUT,
                memo={"version": wanted.version, "cron": wanted.cron, "timezone": wanted.timezone},
            ),
            # What follows # survives in the calendar's comment: a visible stamp in Temporal's own console.
            spec=ScheduleSpec(
                cron_expressions=[f"{wanted.cron} # version {wanted.version}"],
                time_zone_name=wanted.timezone,
                jitter=self._jitter,
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
            state=ScheduleState(paused=wanted.paused, note=_note(wanted)),
        )


def agrees(wanted: ControlState, held: Held | None) -> bool:
    """Whether Temporal holds what the log says."""
    if held is None:
        return not wanted.registered
    return wanted.registered and (held.version, held.paused) == (wanted.version, wanted.paused)


def _note(wanted: ControlState) -> str:
    if not wanted.paused:
        return ""
    return f"Paused by {wanted.paused_by}" + (f": {wanted.pause_reason}" if wanted.pause_reason else "")


def _version(description: ScheduleDescription) -> int | None:
    action = description.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow) or not action.memo:
        return None
    payload = action.memo.get("version")
    return None if payload is None else int(msgspec.json.decode(payload.data))
