"""What mutations on a project's sync answer: the job as it is afterwards."""

from __future__ import annotations

from collections.abc import Callable

import strawberry

from libs.temporal.messages import AnyCommand, ProveProject, RequestSync, StartSync
from services.graphql.api.commands import common_fields, outcome
from services.graphql.api.context import Info
from services.graphql.api.payloads import UserError, user_error
from services.graphql.api.project_names import find_project
from services.graphql.api.syncs.queries import JOB
from services.graphql.api.syncs.types import SyncJob
from services.graphql.ingestor import NoAnswerError


@strawberry.type(description="What came of a change to a project's sync.")
class SyncJobPayload:
    sync_job: SyncJob | None = strawberry.field(description="The job as it is now; null when there is none.")
    request_id: str | None = strawberry.field(
        description="Id of the request for a run or a census; the run that serves it names it."
    )
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")


def refused(error: UserError, request_id: str | None = None) -> SyncJobPayload:
    return SyncJobPayload(sync_job=None, request_id=request_id, user_errors=[error])


async def on_project(
    info: Info, project_id: str, reason: str | None, idempotency_key: str | None, make: Callable[..., AnyCommand]
) -> SyncJobPayload:
    """Have a command for a registered project carried out.

    Args:
        info: of the mutation.
        project_id: as the caller names the project.
        reason: as the caller gave it.
        idempotency_key: as the caller gave it.
        make: the command, of the fields that all commands have.
    """
    project = await find_project(info, project_id)
    if project is None:
        known = "`projects` lists those that are, `registerProject` adds one."
        message = f"No project {project_id!r} is registered; {known}"
        return refused(user_error("UNKNOWN_PROJECT", message, "projectId"))
    return await carried_out(info, make(**common_fields(info, project, reason, idempotency_key)))


async def carried_out(info: Info, command: AnyCommand) -> SyncJobPayload:
    """Have the command carried out, and answer with the job as it is afterwards."""
    done = await outcome(info, command)
    if isinstance(done, UserError):
        # One that was not answered may yet be carried out: then this is the request that the run names.
        asked = done.code == NoAnswerError.code and isinstance(command, RequestSync | StartSync | ProveProject)
        return refused(done, command.command_id if asked else None)
    job = await info.context.loaders.one(JOB, (command.site, command.project))
    return SyncJobPayload(sync_job=None if job is None else SyncJob.of(job), request_id=done.request_id, user_errors=[])
