"""Ask the ingestor for something: each command is a short workflow on the control queue, run to its end."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError  # noqa: A004 - Temporal's own

from libs.temporal import names
from libs.temporal.messages import RegisterProject, RequestSync

UNKNOWN_PROJECT = "UNKNOWN_PROJECT"
"""Type of the error by which the ingestor refuses a project that is not registered."""

COMMAND_TIMEOUT = timedelta(seconds=60)


class UnknownProjectError(LookupError):
    """The project is not registered. Register it first: `jdi register PROJECT`."""


class CommandFailedError(RuntimeError):
    """The ingestor could not carry the command out; the text says why."""


async def register_project(client: Client, *, site: str, project: str, cron: str, timezone: str, actor: str) -> None:
    """Register a project: an event, a schedule, and its first sync at once. Registering again changes nothing.

    Raises:
        CommandFailedError: the ingestor refused, or did not answer within a minute.
    """
    message = RegisterProject(site=site, project=project, cron=cron, timezone=timezone, actor=actor)
    await _run(client, names.REGISTER_WORKFLOW, message, names.register_workflow_id(site, project))


async def request_sync(
    client: Client,
    *,
    site: str,
    project: str,
    full: bool = False,
    account_ids: Sequence[str] = (),
    actor: str,
    reason: str = "",
    request_id: str | None = None,
) -> str:
    """Ask for a sync now; one that runs already is followed by another. Returns the id that `SyncStarted` will name.

    Asking twice with the same `request_id` asks once.

    Raises:
        UnknownProjectError: the project is not registered.
        CommandFailedError: the ingestor refused, or did not answer within a minute.
    """
    message = RequestSync(
        site=site,
        project=project,
        request_id=request_id or uuid.uuid4().hex,
        actor=actor,
        full=full,
        account_ids=tuple(account_ids),
        reason=reason,
    )
    await _run(client, names.REQUEST_WORKFLOW, message, names.request_workflow_id(site, project, message.request_id))
    return message.request_id


async def _run(client: Client, workflow: str, message: RegisterProject | RequestSync, workflow_id: str) -> None:
    try:
        await client.execute_workflow(
            workflow,
            message,
            id=workflow_id,
            task_queue=names.CONTROL_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=COMMAND_TIMEOUT,
            task_timeout=timedelta(seconds=5),
        )
    except WorkflowFailureError as error:
        cause = error.cause
        if isinstance(cause, ActivityError) and cause.cause is not None:
            cause = cause.cause
        if isinstance(cause, ApplicationError) and cause.type == UNKNOWN_PROJECT:
            raise UnknownProjectError(cause.message) from error
        if isinstance(cause, TimeoutError):
            seconds = COMMAND_TIMEOUT.total_seconds()
            raise CommandFailedError(f"The ingestor did not answer within {seconds:g} s. Is it running?") from error
        raise CommandFailedError(f"{workflow}: {cause}") from error
