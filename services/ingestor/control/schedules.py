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
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

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

from libs.events import ProjectKey
from libs.runtime import span_text
from libs.temporal import names
from libs.temporal.intervals import offset_of
from libs.temporal.messages import SyncInput
from services.ingestor.control.state import ControlState, interval_of

CATCH_UP = timedelta(minutes=15)
"""Ticks missed for longer than this are dropped: the next run fetches what they would have fetched."""

RUN_BACKSTOP = timedelta(hours=6)
"""A run that hangs blocks its schedule, so Temporal ends it in the end."""

TASK_TIMEOUT = timedelta(seconds=5)

LONG_PAUSE = timedelta(days=6)
"""Temporal deletes a schedule that was paused for a week when it is resumed (temporal issue 9752): after a pause this
long it is made anew instead."""


class ObservedSchedule(NamedTuple):
    """What Temporal holds of a schedule."""

    memo: Mapping[str, Any]
    """What we noted in it when we wrote it; empty when somebody else made it."""
    paused: bool
    note: str
    running: tuple[str, ...]
    """Workflow ids of its runs in progress."""
    token: bytes = b""
    """Stands for this state of it: the server's, changed by every write and every pause."""

    @property
    def version(self) -> int | None:
        """Of the control state that it was written from."""
        return self.memo.get("version")


class Schedules(ABC):
    """Writes one schedule for each project to Temporal. Every method may be called again after a crash."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @abstractmethod
    def id_of(self, project: ProjectKey) -> str:
        """Of the project's schedule."""

    @abstractmethod
    def whole(self, project: ProjectKey, desired: ControlState) -> Schedule:
        """The schedule as it should be."""

    async def observe(self, project: ProjectKey) -> ObservedSchedule | None:
        """What Temporal holds now; None when it has no such schedule."""
        try:
            description = await self._handle(project).describe()
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
        return ObservedSchedule(_memo(description), state.paused, state.note or "", running, token)

    async def write(self, project: ProjectKey, desired: ControlState, observed: ObservedSchedule | None) -> None:
        """Make Temporal hold `desired` if it still holds `observed`; whether it did, only another look tells."""
        if not desired.registered:
            await self._remove(project, observed)
            return
        whole = self.whole(project, desired)
        if (
            observed is not None
            and observed.paused
            and not whole.state.paused
            and await self._deleted_after_long_pause(project)
        ):
            observed = None
        if observed is None:
            with contextlib.suppress(ScheduleAlreadyRunningError):
                await self._client.create_schedule(self.id_of(project), whole)
        else:
            await self._replace(project, whole, observed.token)

    async def trigger(self, project: ProjectKey, request_id: str) -> bool:
        """Run now, or right after the run in progress. False when Temporal has lost the schedule.

        The server takes a request id once, so that a repetition after a crash starts no second run; the SDK's own
        `trigger` makes a new id each time. Under the schedule's SKIP a trigger during a run would do nothing, silently.
        """
        now = TriggerImmediatelyRequest(overlap_policy=WireOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE)
        request = PatchScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=self.id_of(project),
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

    async def _replace(self, project: ProjectKey, whole: Schedule, token: bytes) -> None:
        """The SDK's own `update` names no state to replace, so that it would undo a pause set a moment before."""
        request = UpdateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=self.id_of(project),
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

    async def _remove(self, project: ProjectKey, observed: ObservedSchedule | None) -> None:
        """Delete the schedule, and cancel the run that it has started."""
        if observed is None:
            return
        await self._delete(project)
        for workflow_id in observed.running:
            with contextlib.suppress(RPCError):  # it has ended meanwhile
                await self._client.get_workflow_handle(workflow_id).cancel()

    async def _deleted_after_long_pause(self, project: ProjectKey) -> bool:
        description = await self._handle(project).describe()
        written = description.info.last_updated_at or description.info.created_at
        if datetime.now(UTC) - written <= LONG_PAUSE:
            return False
        await self._delete(project)
        return True

    async def _delete(self, project: ProjectKey) -> None:
        try:
            await self._handle(project).delete()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise

    def _handle(self, project: ProjectKey) -> ScheduleHandle:
        return self._client.get_schedule_handle(self.id_of(project))


class ScheduleGateway(Schedules):
    """The schedules of the syncs."""

    def __init__(self, client: Client, jitter: timedelta) -> None:
        super().__init__(client)
        self._jitter = jitter

    def id_of(self, project: ProjectKey) -> str:
        return names.schedule_id(*project)

    def whole(self, project: ProjectKey, desired: ControlState) -> Schedule:
        return Schedule(
            action=ScheduleActionStartWorkflow(
                names.SYNC_WORKFLOW,
                SyncInput(site=project.site, project=project.key),
                id=names.sync_workflow_id(*project),
                task_queue=names.SYNC_QUEUE,
                execution_timeout=RUN_BACKSTOP,
                task_timeout=TASK_TIMEOUT,
                memo={
                    "version": desired.version,
                    "cron": desired.cron,
                    "timezone": desired.timezone,
                    "level": desired.backoff.level,
                },
            ),
            spec=_spec(desired, self._jitter),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
            state=ScheduleState(paused=desired.paused, note=_note(desired)),
        )


def agrees(desired: ControlState, observed: ObservedSchedule | None) -> bool:
    """Whether Temporal holds what the log says."""
    if observed is None:
        return not desired.registered
    return desired.registered and (observed.version, observed.paused) == (desired.version, desired.paused)


def _spec(desired: ControlState, jitter: timedelta) -> ScheduleSpec:
    """When runs come: by the cron, or at the interval of the back-off or stretch; the time zone stays."""
    found = interval_of(desired)
    if found is None:
        # What follows # survives in the calendar's comment: a visible stamp in Temporal's own console.
        cron = f"{desired.cron} # version {desired.version}"
        return ScheduleSpec(cron_expressions=[cron], time_zone_name=desired.timezone, jitter=jitter)
    offset = timedelta(seconds=offset_of(found.anchor, found.seconds))
    interval = ScheduleIntervalSpec(every=timedelta(seconds=found.seconds), offset=offset)
    return ScheduleSpec(intervals=[interval], time_zone_name=desired.timezone, jitter=jitter)


def _note(desired: ControlState) -> str:
    """What Temporal's own console says of the schedule."""
    notes = []
    if desired.paused:
        reason = f": {desired.pause_reason}" if desired.pause_reason else ""
        notes.append(f"Paused by {desired.paused_by}{reason}")
    if desired.backoff.level:
        backoff = desired.backoff
        notes.append(
            f"Slowed down after {backoff.failures} failed run{'' if backoff.failures == 1 else 's'}: {backoff.code},"
            f" every {span_text(backoff.seconds)} until a run succeeds"
        )
    elif desired.stretch.seconds:
        notes.append(f"Every {span_text(desired.stretch.seconds)}, while webhooks are alive")
    return ". ".join(notes)


def _memo(description: ScheduleDescription) -> dict[str, Any]:
    action = description.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow) or not action.memo:
        return {}
    return {name: msgspec.json.decode(payload.data) for name, payload in action.memo.items()}
