"""How a mutation becomes a command: its common fields, its id, and the wait for what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Annotated, Final, TypedDict

import strawberry

from libs.events import ProjectKey
from libs.temporal.commands import CommandRefusedError, JiraRefusedError, new_command_id
from libs.temporal.messages import AnyCommand, Done
from services.graphql.api.context import Context, Info
from services.graphql.api.payloads import UserError, user_error
from services.graphql.api.project_names import uid
from services.graphql.execution.errors import bad_input
from services.graphql.ingestor import NOT_DONE
from services.graphql.reading.versions import VersionQueries

SHOWN_SECONDS: Final = 5.0
"""How long a mutation waits until the read tables show what it did, so that its answer does."""

_LOOK_SECONDS: Final = 0.05

_KEY: Final = re.compile(r"[\w.:/-]{1,100}", re.ASCII)

Reason = Annotated[str | None, strawberry.argument(description="Why: kept in the settings history.")]
IdempotencyKey = Annotated[
    str | None,
    strawberry.argument(description="The same key again, of the same caller, is carried out once: safe to repeat."),
]


class CommonFields(TypedDict):
    """What all commands have."""

    site: str
    project: str
    command_id: str
    actor: str
    reason: str


def common_fields(
    info: Info, project: ProjectKey, reason: str | None, idempotency_key: str | None, about: str = ""
) -> CommonFields:
    """What all commands have.

    Args:
        info: of the mutation.
        project: whose it is; with an empty key for a command that concerns none.
        reason: as the caller gave it.
        idempotency_key: as the caller gave it.
        about: what of the project it changes, where that can be several things.

    Raises:
        GraphQLError: the idempotency key is none.
    """
    subject = f"{uid(project)}:{about}" if about else uid(project)
    return CommonFields(
        site=project.site,
        project=project.key,
        command_id=_command_id(info, subject, idempotency_key),
        actor=info.context.principal.name,
        reason=(reason or "").strip(),
    )


def _command_id(info: Info, subject: str, idempotency_key: str | None) -> str:
    """The id under which a command is carried out once: of this caller, this mutation and this subject.

    Raises:
        GraphQLError: the key is none.
    """
    if idempotency_key is None:
        return new_command_id()
    if not _KEY.fullmatch(idempotency_key):
        raise bad_input("idempotencyKey: give 1 to 100 letters, digits or . : / _ -")
    return f"{info.field_name}:{subject}:{info.context.principal.name}:{idempotency_key}"


async def outcome(info: Info, command: AnyCommand) -> Done | UserError:
    """Have the command carried out; what was done can be read when this returns."""
    try:
        done = await info.context.ingestor.carry_out(command)
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
    versions = context.queries(VersionQueries)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SHOWN_SECONDS):
            while await versions.position() < position:  # noqa: ASYNC110 - another process moves it
                await asyncio.sleep(_LOOK_SECONDS)
