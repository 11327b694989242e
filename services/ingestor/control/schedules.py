"""The one writer of Temporal schedules.

A schedule is made whole from our own events each time it is written: the server keeps no cron text (it parses it into
calendars and forgets it), and an update replaces everything, pause included. So nothing is ever read back from
Temporal to be written again; the version in the action's memo tells whether Temporal already has what our log says.

An update names the state it replaces. Where somebody else was faster, a hand in Temporal's own console included, the
server drops it, without a word: look again after each write.
"""

from __future__ import annotations

import contextlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from temporalio.api.enums.v1 import ScheduleOverlapPolicy as WireOverlapPolicy
from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import PatchScheduleRequest, UpdateScheduleRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from libs.runtime import span_text
from libs.temporal import names
from libs.temporal.intervals import offset_of
from libs.temporal.messages import SyncInput
from services.ingestor.control.state import ControlState

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
    token: bytes = b""
    """Stands for this state of it: the server's, changed by every write and every pause."""


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
        token = description.raw_description.conflict_token
        return Held(_version(description), state.paused, state.note or "", running, token)

    async def write(self, site: str, project: str, wanted: ControlState, held: Held | None) -> None:
        """Make Temporal hold `wanted` if it still holds `held`; whether it did, only another look tells."""
        if not wanted.registered:
            await self._remove(site, project, held)
            return
        if (
            held is not None
            and held.paused
            and not wanted.paused
            and await self._deleted_after_long_pause(site, project)
        ):
            held = None
        whole = self._whole(site, project, wanted)
        if held is None:
            with contextlib.suppress(ScheduleAlreadyRunningError):
                await self._client.create_schedule(names.schedule_id(site, project), whole)
        else:
            await self._replace(site, project, whole, held.token)

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

    async def _replace(self, site: str, project: str, whole: Schedule, token: bytes) -> None:
        """The SDK's own `update` names no state to replace, so that it would undo a pause set a moment before."""
        request = UpdateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=names.schedule_id(site, project),
            schedule=await whole._to_proto(self._client),  # noqa: SLF001 - the SDK has no public way to this message
            conflict_token=token,
            identity=self._client.identity,
            request_id=str(uuid.uuid4()),
        )
        try:
            await self._client.workflow_service.update_schedule(request, retry=True)
        except RPCError as error:
            # It was deleted, or (newer kinds of schedules say so) it is not in that state any more.
            if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                raise

    async def _remove(self, site: str, project: str, held: Held | None) -> None:
        """Delete the schedule, and cancel the run that it has started."""
        if held is None:
            return
        await self._delete(site, project)
        for workflow_id in held.running:
            with contextlib.suppress(RPCError):  # it has ended meanwhile
                await self._client.get_workflow_handle(workflow_id).cancel()

    async def _deleted_after_long_pause(self, site: str, project: str) -> bool:
        description = await self._handle(site, project).describe()
        written = description.info.last_updated_at or description.info.created_at
        if datetime.now(UTC) - written <= LONG_PAUSE:
            return False
        await self._delete(site, project)
        return True

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
                memo={
                    "version": wanted.version,
                    "cron": wanted.cron,
                    "timezone": wanted.timezone,
                    "level": wanted.backoff.level,
                },
            ),
            spec=_spec(wanted, self._jitter),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
            state=ScheduleState(paused=wanted.paused, note=_note(wanted)),
        )


def agrees(wanted: ControlState, held: Held | None) -> bool:
    """Whether Temporal holds what the log says."""
    if held is None:
        return not wanted.registered
    return wanted.registered and (held.version, held.paused) == (wanted.version, wanted.paused)


def _spec(wanted: ControlState, jitter: timedelta) -> ScheduleSpec:
    """When runs come: by the cron, or at the interval of the back-off; the time zone stays."""
    backoff = wanted.backoff
    if backoff.anchor is None:
        # What follows # survives in the calendar's comment: a visible stamp in Temporal's own console.
        cron = f"{wanted.cron} # version {wanted.version}"
        return ScheduleSpec(cron_expressions=[cron], time_zone_name=wanted.timezone, jitter=jitter)
    offset = timedelta(seconds=offset_of(backoff.anchor, backoff.seconds))
    interval = ScheduleIntervalSpec(every=timedelta(seconds=backoff.seconds), offset=offset)
    return ScheduleSpec(intervals=[interval], time_zone_name=wanted.timezone, jitter=jitter)


def _note(wanted: ControlState) -> str:
    """What Temporal's own console says of the schedule."""
    notes = []
    if wanted.paused:
        reason = f": {wanted.pause_reason}" if wanted.pause_reason else ""
        notes.append(f"Paused by {wanted.paused_by}{reason}")
    if wanted.backoff.level:
        backoff = wanted.backoff
        notes.append(
            f"Slowed down after {backoff.failures} failed run{'' if backoff.failures == 1 else 's'}: {backoff.code},"
            f" every {span_text(backoff.seconds)} until a run succeeds"
        )
    return ". ".join(notes)


def _version(description: ScheduleDescription) -> int | None:
    action = description.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow) or not action.memo:
        return None
    payload = action.memo.get("version")
    return None if payload is None else int(msgspec.json.decode(payload.data))
