"""What Temporal and NATS remember of the life that a log had before it was restored.

Once the log has gone back to an earlier position, they would be believed wrongly. A command is answered from the
history of an equal one, and ids of commands (of telemetry about the back-off, of JIRA_PROJECTS, of a caller who gave an
idempotency key) come again. A run in progress would move the watermark past pages that only the lost events held. The
stream holds events that never happened. All of it is made again from the log: the schedules by the ingestor, the
stream by its relay.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from typing import Final

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from libs.events import EventStore
from libs.events.nats.belonging import ForeignStreamError
from libs.events.nats.checkpoint import look
from libs.events.nats.connection import connected
from libs.events.nats.relay import STREAM
from libs.temporal import names

AT_ONCE: Final = 16
GONE_SECONDS: Final = 120.0
"""Temporal deletes a run up to half a minute after it has said that it will; so long without one less is too long."""
POLL_SECONDS: Final = 0.2

Run = tuple[str, str]
"""Workflow id and run id."""


class KeptError(RuntimeError):
    """Something of the former life is still there; the text says how to be rid of it."""


async def forget_in_temporal(client: Client, sites: Collection[str]) -> tuple[int, int]:
    """Delete the schedules and the runs, in progress or not, of these sites; how many there were of each.

    Raises:
        RPCError: Temporal refuses, or does not answer.
        TimeoutError: it does not come to an end. What is deleted is deleted; call it again.
    """
    schedules = await _schedules(client, sites)
    for schedule in schedules:
        with _unless_gone():
            await client.get_schedule_handle(schedule).delete()
    deleted = set[Run]()
    slots = asyncio.Semaphore(AT_ONCE)
    # Again until there is no other: a run is listed some moments after it has begun.
    while left := [run for run in await _runs(client, sites) if run not in deleted]:
        deleted.update(left)
        await asyncio.gather(*(_delete(client, run, slots) for run in left))
        while left:
            async with asyncio.timeout(GONE_SECONDS):
                left = await _fewer(client, left, slots)
    return len(schedules), len(deleted)


async def _schedules(client: Client, sites: Collection[str]) -> list[str]:
    prefixes = tuple(prefix for site in sites for prefix in names.schedule_prefixes(site))
    return [one.id async for one in await client.list_schedules() if one.id.startswith(prefixes)]


async def _runs(client: Client, sites: Collection[str]) -> list[Run]:
    prefixes = tuple(prefix for site in sites for prefix in names.workflow_prefixes(site))
    kinds = ", ".join(f"'{kind}'" for kind in names.WORKFLOWS)
    found = client.list_workflows(f"WorkflowType IN ({kinds})")
    return [(one.id, one.run_id) async for one in found if one.id.startswith(prefixes)]


async def _delete(client: Client, run: Run, slots: asyncio.Semaphore) -> None:
    """Ask for it: a run in progress is ended first."""
    execution = WorkflowExecution(workflow_id=run[0], run_id=run[1])
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    async with slots:
        with _unless_gone():
            await client.workflow_service.delete_workflow_execution(request)


async def _fewer(client: Client, runs: list[Run], slots: asyncio.Semaphore) -> list[Run]:
    """Those that are left, as soon as some of them have gone."""
    while True:
        left = [run for run in await asyncio.gather(*(_left(client, run, slots) for run in runs)) if run is not None]
        if len(left) < len(runs):
            return left
        await asyncio.sleep(POLL_SECONDS)


async def _left(client: Client, run: Run, slots: asyncio.Semaphore) -> Run | None:
    async with slots:
        try:
            await client.get_workflow_handle(run[0], run_id=run[1]).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return None
    return run


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    """Ends the block when Temporal says that what it deals with is not there."""
    try:
        yield
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise


async def forget_stream(store: EventStore, nats_url: str) -> bool:
    """Delete the stream where it holds events that this log does not have; whether it did.

    Raises:
        KeptError: it does hold such events, and may not be deleted.
        nats.errors.Error, OSError: NATS does not answer, or forbids the look.
    """
    client = await connected(nats_url, _ignore)
    try:
        jetstream = client.jetstream()
        try:
            await look(store, client, STREAM)
        except NotFoundError:
            return False
        except ForeignStreamError:
            try:
                await jetstream.delete_stream(STREAM)
            except NatsError as error:
                raise KeptError(
                    f"stream {STREAM} is of another life, and the user of NATS_URL may not delete it;"
                    " delete NATS' data, which the relay makes again"
                ) from error
            return True
        return False
    finally:
        await client.close()


async def _ignore(_error: Exception) -> None:
    """What the request raises says enough."""
