"""What Temporal shows of syncs and censuses: its list of runs, what an open one does, how a closed one ended.

Run ids of events are those of the first part of a run that continued as new; lists do not have them, descriptions do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from typing import Final

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.enums.v1 import WorkflowExecutionStatus as WireStatus
from temporalio.api.failure.v1 import Failure as WireFailure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from libs.events import ProjectKey
from libs.temporal import names
from services.telemetry.sweep.dead_runs import (
    Close,
    Failure,
    How,
    Run,
    RunState,
    Trouble,
    Waiting,
    is_census,
    project_of,
)

DEAD: Final = {
    WorkflowExecutionStatus.FAILED: How.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: How.TIMED_OUT,
    WorkflowExecutionStatus.TERMINATED: How.TERMINATED,
    WorkflowExecutionStatus.CANCELED: How.CANCELLED,
}
"""How runs end that may not have recorded it. One that completed, or continued as new, has recorded that before."""

_KINDS: Final = f"('{names.SYNC_WORKFLOW}', '{names.CENSUS_WORKFLOW}')"
_DEAD_NAMES: Final = "('Failed', 'TimedOut', 'Terminated', 'Canceled')"

Projects = Collection[ProjectKey]


class RunsOfTemporal:
    """Asks the server, and can end a run. A run that has disappeared meanwhile is None, not an error."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def closed_since(self, since: datetime, projects: Projects) -> list[tuple[Run, Close]]:
        """The runs of these projects that did not end well; of how they ended, only what the list shows."""
        query = f"ExecutionStatus IN {_DEAD_NAMES} AND CloseTime > '{since.isoformat()}'"
        return [(run, close) async for run, close in self._listed(query, projects) if close is not None]

    async def open_before(self, before: datetime, projects: Projects) -> list[Run]:
        """The runs of these projects that began before that time and are still open."""
        query = f"ExecutionStatus = 'Running' AND StartTime < '{before.isoformat()}'"
        return [run async for run, _ in self._listed(query, projects)]

    async def first_run_id(self, run: Run) -> str | None:
        found = await self._described(run)
        return None if found is None else found.workflow_execution_info.first_run_id or run.run_id

    async def knows(self, run: Run) -> bool:
        """Whether the server has a run, given by its first part, or a later part of it.

        Raises:
            RPCError: it does not answer, or does not know the namespace either, as one that has just been made.
        """
        if await self._described(run) is not None:
            return True
        latest = await self._described(msgspec.structs.replace(run, run_id=""))
        if latest is not None and latest.workflow_execution_info.first_run_id == run.run_id:
            return True
        await self._client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=self._client.namespace)
        )
        return False

    async def lists(self, run_id: str) -> bool:
        """Whether the server lists a run with that id, whatever it is of."""
        async for _ in self._client.list_workflows(f"RunId = '{run_id}'"):
            return True
        return False

    async def close_of(self, run: Run, listed: Close) -> Close:
        """How a run ended, with who, why and what failed."""
        try:
            history = await self._handle(run).fetch_history(
                event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return listed
            raise
        return _close(history.events[-1], listed) if history.events else listed

    async def state(self, run: Run) -> RunState | None:
        """What a run does; None when it has ended meanwhile."""
        found = await self._described(run)
        if found is None or found.workflow_execution_info.status != WireStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
            return None
        return _run_state(found)

    async def trouble(self, run: Run) -> Trouble | None:
        """Since when the run's own code fails, and with what. Of failures in a row, the server keeps the first."""
        found: Trouble | None = None
        async for event in self._handle(run).fetch_history_events():
            if event.HasField("workflow_task_completed_event_attributes"):
                found = None
            elif event.HasField("workflow_task_failed_event_attributes"):
                failure = next(iter(_chain(event.workflow_task_failed_event_attributes.failure)), None)
                found = Trouble(since=found.since if found else _time(event.event_time), failure=failure)
            elif event.HasField("workflow_task_timed_out_event_attributes"):
                found = found or Trouble(since=_time(event.event_time), failure=None)
        return found

    async def last_polled(self, queue: str) -> datetime | None:
        """When a worker last asked this queue for work; None when the server remembers none."""
        times = [
            _time(poller.last_access_time)
            for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
            for poller in (
                await self._client.workflow_service.describe_task_queue(
                    DescribeTaskQueueRequest(
                        namespace=self._client.namespace,
                        task_queue=TaskQueue(name=queue),
                        task_queue_type=kind,
                    )
                )
            ).pollers
        ]
        return max(times, default=None)

    async def terminate(self, run: Run, reason: str) -> None:
        try:
            await self._handle(run).terminate(reason=reason)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # it has ended meanwhile
                raise

    async def _listed(self, query: str, projects: Projects) -> AsyncIterator[tuple[Run, Close | None]]:
        async for execution in self._client.list_workflows(f"WorkflowType IN {_KINDS} AND {query}"):
            project = project_of(execution.id)
            if project is None or project not in projects:
                continue
            run = Run(
                project=project,
                census=is_census(execution.id),
                workflow_id=execution.id,
                run_id=execution.run_id,
                started_at=execution.start_time,
            )
            how = DEAD.get(execution.status) if execution.status else None
            yield run, Close(how=how, at=execution.close_time) if how and execution.close_time else None

    async def _described(self, run: Run) -> DescribeWorkflowExecutionResponse | None:
        try:
            return (await self._handle(run).describe()).raw_description
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise

    def _handle(self, run: Run) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(run.workflow_id, run_id=run.run_id or None)


def _close(event: HistoryEvent, listed: Close) -> Close:
    terminated = event.workflow_execution_terminated_event_attributes
    return Close(
        how=listed.how,
        at=_time(event.event_time),
        by=terminated.identity,
        reason=terminated.reason,
        failures=tuple(_chain(event.workflow_execution_failed_event_attributes.failure)),
    )


def _chain(failure: WireFailure) -> list[Failure]:
    """The failure and its causes, outermost first."""
    links: list[Failure] = []
    link: WireFailure | None = failure
    while link is not None:
        links.append(
            Failure(
                kind=link.application_failure_info.type,
                message=link.message,
                step=link.activity_failure_info.activity_type.name,
            )
        )
        link = link.cause if link.HasField("cause") else None
    return links


def _run_state(found: DescribeWorkflowExecutionResponse) -> RunState:
    waiting = [
        Waiting(queue=activity.activity_options.task_queue.name, since=_time(activity.scheduled_time))
        for activity in found.pending_activities
        if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    ]
    task = found.pending_workflow_task if found.HasField("pending_workflow_task") else None
    if task is not None and task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        queue = found.execution_config.task_queue.name
        waiting.append(Waiting(queue=queue, since=_time(task.original_scheduled_time)))
    return RunState(
        cancel_requested=found.workflow_extended_info.cancel_requested,
        task_since=None if task is None else _time(task.original_scheduled_time),
        task_attempt=0 if task is None else task.attempt,
        waiting=tuple(waiting),
    )


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
