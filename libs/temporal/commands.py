"""Ask the ingestor for something: each command is a short workflow on the control queue, run to its end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

from libs.temporal import names
from libs.temporal.messages import (
    AnyCommand,
    AnyQuestion,
    Done,
    OpenGate,
    Options,
    RegisterProject,
    RequestSync,
    TakeUpHints,
)
from libs.temporal.proof import sealed

REFUSED = "REFUSED"
"""Type of the error by which the ingestor refuses a command; its detail is a `Refusal`."""

JIRA_REFUSED = "JIRA_REFUSED"
"""Type of the error that says that Jira refused, or could not be asked; its detail is a `Failure`."""

UNKNOWN_PROJECT = "UNKNOWN_PROJECT"
FORGED_COMMAND = "FORGED_COMMAND"

ANSWER_TIMEOUT = timedelta(seconds=60)
"""How long a caller waits. A command that the ingestor has not taken up by then is void; one that it has goes on."""

BACKSTOP = timedelta(days=1)
"""A command that was taken up is finished, however long the event log or Temporal are away."""

T = TypeVar("T")


class CommandFailedError(RuntimeError):
    """The ingestor could not carry the command out; the text says why.

    Attributes:
        code: what kind of failure it is, for programs.
    """

    code = REFUSED


class CommandRefusedError(CommandFailedError):
    """The command cannot be carried out as it stands; nothing was changed.

    Attributes:
        code: such as BAD_CRON or UNKNOWN_ACCOUNT.
        field: the part of the command that is wrong, as the message names it; None when it is the whole.
    """

    def __init__(self, message: str, code: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code, self.field = code, field


class UnknownProjectError(CommandRefusedError):
    """The project is not registered. Register it first: `jdi register PROJECT`."""


class JiraRefusedError(CommandFailedError):
    """Jira refused what the command needed to ask.

    Attributes:
        code: the classified cause, such as AUTH_EXPIRED.
        advice: what to do about it.
    """

    def __init__(self, message: str, code: str, advice: str) -> None:
        super().__init__(message)
        self.code, self.advice = code, advice


@dataclass(frozen=True)
class Sender:
    """One who gives commands."""

    client: Client
    key: bytes = field(repr=False)
    """Of the event log: proves that a command is ours."""


def new_command_id() -> str:
    return uuid.uuid4().hex


async def carry_out(sender: Sender, command: AnyCommand) -> Done:
    """Have a command carried out. The same command id again gives the first one's answer and changes nothing.

    Raises:
        CommandRefusedError: it cannot be done as it stands.
        JiraRefusedError: it needs something of Jira, which refused.
        CommandFailedError: the ingestor did not answer within a minute.
    """
    workflow_id = names.control_workflow_id(command.site, command.project, command.command_id)
    return await _run(sender.client, names.CONTROL_WORKFLOW, sealed(command, sender.key), workflow_id, Done)


async def open_gate(sender: Sender, request: OpenGate) -> Options:
    """Let requests to Jira go out again; what is still closed.

    Raises:
        CommandRefusedError: nothing is closed there.
        CommandFailedError: the ingestor did not answer within a minute.
    """
    given = msgspec.structs.replace(request, command_id=request.command_id or new_command_id())
    return await ask_jira(sender.client, sealed(given, sender.key))


async def ask_jira(client: Client, question: AnyQuestion) -> Options:
    """Ask a site's Jira for projects or users, by way of the ingestor, which alone holds its credentials.

    Raises:
        JiraRefusedError: Jira refused.
        CommandFailedError: the ingestor did not answer within a minute.
    """
    workflow_id = names.discovery_workflow_id(question.site, uuid.uuid4().hex)
    return await _run(client, names.DISCOVERY_WORKFLOW, question, workflow_id, Options)


async def take_up_hints(client: Client, site: str) -> None:
    """Have the ingestor take up the hints that wait: now, or after those that it is at.

    Raises:
        RPCError: Temporal does not answer.
    """
    await client.start_workflow(
        names.HINTS_WORKFLOW,
        TakeUpHints(site=site),
        id=names.hints_workflow_id(site),
        task_queue=names.SYNC_QUEUE,
        start_signal=names.HINTED,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=timedelta(seconds=5),
    )


async def register_project(
    sender: Sender,
    *,
    site: str,
    project: str,
    cron: str,
    timezone: str,
    actor: str,
    command_id: str | None = None,
) -> Done:
    """Register a project: an event, a schedule, and its first sync at once. Registering again changes nothing.

    Raises:
        CommandRefusedError: the key, the cron or the time zone is none.
        CommandFailedError: the ingestor did not answer within a minute.
    """
    command = RegisterProject(
        site=site,
        project=project,
        command_id=command_id or new_command_id(),
        cron=cron,
        timezone=timezone,
        actor=actor,
    )
    return await carry_out(sender, command)


async def request_sync(
    sender: Sender,
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
        CommandFailedError: the ingestor did not answer within a minute.
    """
    command = RequestSync(
        site=site,
        project=project,
        command_id=request_id or new_command_id(),
        actor=actor,
        full=full,
        account_ids=tuple(account_ids),
        reason=reason,
    )
    await carry_out(sender, command)
    return command.command_id


async def _run(client: Client, workflow: str, message: Any, workflow_id: str, result: type[T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            return await _start(client, workflow, message, workflow_id, result)
    except TimeoutError as error:
        seconds = ANSWER_TIMEOUT.total_seconds()
        raise CommandFailedError(f"The ingestor did not answer within {seconds:g} s. Is it running?") from error
    except WorkflowFailureError as error:
        raise _said(error, workflow) from error


async def _start(client: Client, workflow: str, message: Any, workflow_id: str, result: type[T]) -> T:
    try:
        handle = await client.start_workflow(
            workflow,
            message,
            id=workflow_id,
            task_queue=names.CONTROL_QUEUE,
            result_type=result,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            # What failed may be tried again under its id; what was done is answered from its history.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            execution_timeout=BACKSTOP,
            task_timeout=timedelta(seconds=5),
        )
    except WorkflowAlreadyStartedError:
        handle = client.get_workflow_handle(workflow_id, result_type=result)
    answer: T = await handle.result()
    return answer


def _said(error: WorkflowFailureError, workflow: str) -> CommandFailedError:
    """What the failure of a command means to the one who gave it."""
    cause: BaseException | None = error.cause
    if isinstance(cause, ActivityError) and cause.cause is not None:
        cause = cause.cause
    if isinstance(cause, ApplicationError):
        details: dict[str, Any] = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        if cause.type == JIRA_REFUSED:
            return JiraRefusedError(cause.message, details.get("code", "UNKNOWN"), details.get("advice", ""))
        if cause.type == REFUSED:
            code = details.get("code", REFUSED)
            kind = UnknownProjectError if code == UNKNOWN_PROJECT else CommandRefusedError
            return kind(cause.message, code, details.get("field"))
    return CommandFailedError(f"{workflow}: {cause}")
