"""What mutations answer: what was done, or why not, as data."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Final, TypedDict

import strawberry

from libs.temporal.commands import CommandRefusedError, JiraRefusedError, new_command_id
from libs.temporal.messages import AnyCommand, Done, RequestSync, StartSync
from services.graphql.api.context import Context, Info
from services.graphql.api.ingestor import NOT_DONE, NoAnswerError
from services.graphql.api.projects.fields import find_project
from services.graphql.api.syncs.types import SyncJob, uid
from services.graphql.execution.errors import bad_input

SHOWN_SECONDS: Final = 5.0
"""How long a mutation waits until the read tables show what it did, so that its answer does."""

_LOOK_SECONDS: Final = 0.05

_KEY: Final = re.compile(r"[\w.:/-]{1,100}", re.ASCII)


@strawberry.type(description="Why a mutation did nothing.")
class UserError:
    code: str = strawberry.field(
        description="Such as UNKNOWN_PROJECT, BAD_CRON, BAD_TIMEZONE, UNKNOWN_ACCOUNT, UNKNOWN_ALERT,"
        " SCHEDULER_UNAVAILABLE, NO_ANSWER, REFUSED, or a code of Jira's refusal such as AUTH_EXPIRED."
    )
    message: str = strawberry.field(description="What is wrong, and what to do about it.")
    field: str | None = strawberry.field(description="The argument it is about.")


def user_error(code: str, message: str, field: str | None = None) -> UserError:
    return UserError(code=code, message=message, field=field)


@strawberry.type(description="What came of a change to a project's sync.")
class SyncJobPayload:
    sync_job: SyncJob | None = strawberry.field(description="The job as it is now; null when there is none.")
    request_id: str | None = strawberry.field(
        description="Id of the request for a run; the run that serves it names it."
    )
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")


def refused(code: str, message: str, field: str | None = None) -> SyncJobPayload:
    return SyncJobPayload(sync_job=None, request_id=None, user_errors=[user_error(code, message, field)])


class Frame(TypedDict):
    """What all commands share."""

    site: str
    project: str
    command_id: str
    actor: str
    reason: str


def frame(info: Info, site: str, key: str, reason: str | None, idempotency_key: str | None, about: str = "") -> Frame:
    """What all commands share.

    Args:
        info: of the mutation.
        site: of the project.
        key: of the project; empty for a command that concerns none.
        reason: as the caller gave it.
        idempotency_key: as the caller gave it.
        about: what of the project it changes, where that can be several things.

    Raises:
        GraphQLError: the idempotency key is none.
    """
    return Frame(
        site=site,
        project=key,
        command_id=command_id(info, f"{uid(site, key)}:{about}" if about else uid(site, key), idempotency_key),
        actor=info.context.principal.name,
        reason=(reason or "").strip(),
    )


def command_id(info: Info, subject: str, idempotency_key: str | None) -> str:
    """The id under which a command is carried out once: of this caller, this mutation and this subject.

    Raises:
        GraphQLError: the key is none.
    """
    if idempotency_key is None:
        return new_command_id()
    if not _KEY.fullmatch(idempotency_key):
        raise bad_input("idempotencyKey: give 1 to 100 letters, digits or . : / _ -")
    return f"{info.field_name}:{subject}:{info.context.principal.name}:{idempotency_key}"


async def on_project(
    info: Info, project_id: str, reason: str | None, idempotency_key: str | None, make: Callable[..., AnyCommand]
) -> SyncJobPayload:
    """Have a command for a registered project carried out.

    Args:
        info: of the mutation.
        project_id: as the caller names the project.
        reason: as the caller gave it.
        idempotency_key: as the caller gave it.
        make: the command, of its frame.
    """
    row = await find_project(info, project_id)
    if row is None:
        known = "`projects` lists those that are, `registerProject` adds one."
        return refused("UNKNOWN_PROJECT", f"No project {project_id!r} is registered; {known}", "projectId")
    return await carried_out(info, make(**frame(info, row["site"], row["key"], reason, idempotency_key)))


async def carried_out(info: Info, command: AnyCommand) -> SyncJobPayload:
    """Have the command carried out, and answer with the job as it is afterwards."""
    done = await outcome(info, command)
    if isinstance(done, UserError):
        # One that was not answered may yet be carried out: then this is the request that the run names.
        asked = done.code == NoAnswerError.code and isinstance(command, RequestSync | StartSync)
        return SyncJobPayload(sync_job=None, request_id=command.command_id if asked else None, user_errors=[done])
    job = await info.context.loaders.sync_jobs.load((command.site, command.project))
    return SyncJobPayload(sync_job=None if job is None else SyncJob.of(job), request_id=done.request_id, user_errors=[])


async def outcome(info: Info, command: AnyCommand) -> Done | UserError:
    """Have the command carried out; what was done can be read when this returns."""
    try:
        done = await info.context.scheduler.carry_out(command)
    except CommandRefusedError as error:
        return user_error(error.code, str(error), error.field)
    except JiraRefusedError as error:
        return user_error(error.code, f"{error} {error.advice}".strip())
    except NOT_DONE as error:
        return user_error(error.code, str(error))
    await _shown(info.context, done.position)
    return done


async def _shown(context: Context, position: int) -> None:
    """Wait until the read tables show an event; a projector that is down must not fail what was done."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SHOWN_SECONDS):
            while await asyncio.to_thread(context.queries.position) < position:  # noqa: ASYNC110 - another process moves it
                await asyncio.sleep(_LOOK_SECONDS)
