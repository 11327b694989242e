"""Temporal: its version, its namespace, who works on the queues, and whether schedules are as decided."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import RowMapping, select
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from libs.read_tables import project, sync_job
from libs.temporal import names
from libs.temporal.access import ConnectError
from libs.temporal.connect import connect
from services.cli.checks.databases import reading
from services.cli.checks.findings import Doubt, Finding, Trouble, look
from services.cli.checks.jira import jira_by_the_ingestor
from services.cli.settings import DoctorSettings

OLDEST_SERVER: Final = (1, 24)
"""The first that takes a command again under its id while the first one runs."""
STALE: Final = timedelta(seconds=90)
"""Temporal shows workers for minutes after they have gone; one that lives asks again within about a minute."""
HOUR: Final = timedelta(hours=1)
SHORTEST_RETENTION: Final = 24 * HOUR
"""Within it a command that is repeated is answered from the history of the first."""
SETTLE_SECONDS: Final = 3.0
"""What was decided a moment ago is still on its way to Temporal."""
POLL_SECONDS: Final = 0.3


async def temporal(settings: DoctorSettings) -> list[Finding]:
    """Of the server, of its workers, of the schedules, and what Jira answers by way of the ingestor."""
    server = await look("temporal", lambda: _server(settings), "start the stack with `jdi up`, or set TEMPORAL_ADDRESS")
    if server.failed:
        return [server]
    workers, schedules = await asyncio.gather(
        look("workers", lambda: _workers(settings), "start the ingestor of this site"),
        look("schedules", lambda: _schedules(settings), "the ingestor makes them again; is it running?"),
    )
    found = [server, workers, schedules]
    return found if workers.failed else [*found, *await jira_by_the_ingestor(settings)]


async def connected(settings: DoctorSettings) -> Client:
    try:
        return await connect(settings.temporal_address, settings.temporal_namespace, access=settings)
    except ConnectError as error:
        raise Trouble(str(error)) from error


async def _server(settings: DoctorSettings) -> str:
    client = await connected(settings)
    version = (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version
    name = settings.temporal_namespace
    try:
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        raise Trouble(f"there is no namespace {name}", "create it, or set TEMPORAL_NAMESPACE") from error
    await client.count_workflows()
    retention = described.config.workflow_execution_retention_ttl.ToTimedelta()
    text = f"{version} at {settings.temporal_address}, namespace {name}, keeps histories for {retention / HOUR:g} h"
    if _numbers(version) < OLDEST_SERVER:
        raise Trouble(text, f"upgrade Temporal to {'.'.join(map(str, OLDEST_SERVER))} or newer")
    if retention < SHORTEST_RETENTION:
        raise Doubt(text, "keep histories for a day or longer, so that repeated commands are known")
    return text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".")[:2] if part.isdigit())


async def _workers(settings: DoctorSettings) -> str:
    client = await connected(settings)
    workflow, activity = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    site_queue = names.jira_queue(settings.site)
    queues = (
        (names.SYNC_QUEUE, workflow),
        (names.CONTROL_QUEUE, workflow),
        (names.CONTROL_QUEUE, activity),
        (site_queue, activity),
    )
    counts = await asyncio.gather(*(_pollers(client, name, kind) for name, kind in queues))
    idle = [name for (name, _), count in zip(queues, counts, strict=True) if not count]
    if idle:
        raise Trouble(f"nobody works on {', '.join(dict.fromkeys(idle))}")
    return f"on {names.SYNC_QUEUE}, {names.CONTROL_QUEUE} and {site_queue}"


async def _pollers(client: Client, queue: str, kind: "TaskQueueType.ValueType") -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    answer = await client.workflow_service.describe_task_queue(request)
    since = datetime.now(UTC) - STALE
    return sum(poller.last_access_time.ToDatetime(UTC) > since for poller in answer.pollers)


async def _schedules(settings: DoctorSettings) -> str:
    client = await connected(settings)
    clock = asyncio.get_running_loop().time
    deadline = clock() + SETTLE_SECONDS
    while True:
        jobs = await asyncio.to_thread(_jobs, settings)
        differing = [text for job in jobs if (text := await _difference(client, job))]
        if not differing or clock() > deadline:
            break
        await asyncio.sleep(POLL_SECONDS)
    if differing:
        raise Trouble("; ".join(differing))
    desired = {names.schedule_id(job["site"], job["project_key"]) for job in jobs}
    ours = names.schedule_id(settings.site, "")
    spare = sorted(
        [one.id async for one in await client.list_schedules() if one.id.startswith(ours) and one.id not in desired]
    )
    if spare:
        raise Doubt(f"no registered project has {', '.join(spare)}", "delete them in Temporal, or check DATABASE_URL")
    return f"of all {len(jobs)} registered projects as decided"


def _jobs(settings: DoctorSettings) -> list[RowMapping]:
    with reading(settings) as tables, tables.connect() as connection:
        both = (sync_job.c.site == project.c.site) & (sync_job.c.project_key == project.c.key)
        query = select(sync_job).join(project, both).where(project.c.registered)
        return list(connection.execute(query.order_by(sync_job.c.site, sync_job.c.project_key)).mappings())


async def _difference(client: Client, job: RowMapping) -> str | None:
    """How the schedule that Temporal holds differs from what was decided."""
    schedule_id = names.schedule_id(job["site"], job["project_key"])
    try:
        described = await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return f"{schedule_id} is missing"
        raise
    return difference(job, _noted(described), paused=described.schedule.state.paused)


def _noted(described: ScheduleDescription) -> dict[str, Any]:
    """What the ingestor noted in the schedule when it wrote it."""
    action = described.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow) or not action.memo:
        return {}
    return {name: msgspec.json.decode(payload.data) for name, payload in action.memo.items()}


def difference(job: Mapping[Any, Any], noted: Mapping[str, Any], *, paused: bool) -> str | None:
    """How a schedule differs from what the read tables say was decided; None when it does not. Pure."""
    name = f"{job['site']}/{job['project_key']}"
    if paused != (job["status"] == "PAUSED"):
        return f"{name} is {'paused' if paused else 'not paused'} in Temporal, but {job['status']} by the log"
    decided = {"cron": job["cron"], "timezone": job["timezone"], "level": job["backoff_level"]}
    found = {"level": 0, **noted}  # a version that knew no back-off noted no level, and wrote none but 0
    for field, value in decided.items():
        if found.get(field) != value:
            return f"{name} has {field} {found.get(field)} in Temporal, {value} by the log"
    return None
