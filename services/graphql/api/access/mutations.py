"""API tokens, for administrators. One whose own token reaches some projects only handles tokens within them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry

from libs.access import BadTokenError, NotCopiedError, Role, UnknownTokenError
from services.graphql.api.access.fields import lies_within, visible_tokens
from services.graphql.api.access.payloads import CreateApiTokenPayload, RevokeApiTokenPayload
from services.graphql.api.access.types import ApiToken
from services.graphql.api.context import Info
from services.graphql.api.payloads import user_error
from services.graphql.api.project_names import find_project
from services.graphql.api.roles import admin
from services.graphql.execution.errors import UnavailableError
from services.graphql.reading.reader import Projects

argument = strawberry.argument


@strawberry.type
class TokenMutation:
    @strawberry.mutation(description="Make an API token.", extensions=admin())
    async def create_api_token(
        self,
        info: Info,
        name: Annotated[str, argument(description="Whose it is; stands in the settings history.")],
        role: Annotated[Role, argument(description="What it allows.")],
        projects: Annotated[
            list[strawberry.ID] | None, argument(description="The projects it reaches; left out: all.")
        ] = None,
        expires_at: Annotated[datetime | None, argument(description="When it expires; left out: never.")] = None,
    ) -> CreateApiTokenPayload:
        context = info.context
        reach: Projects | None = None
        if projects is not None:
            found = [(named, await find_project(info, named)) for named in projects]
            missing = [named for named, project in found if project is None]
            if missing:
                return _not_made("UNKNOWN_PROJECT", f"No project {missing[0]!r} is registered.", "projects")
            reach = frozenset(project for _, project in found if project is not None)
        if not lies_within(reach, context.principal.projects):
            message = "This token reaches some projects only: name those of them that the new one shall reach."
            return _not_made("FORBIDDEN", message, "projects")
        try:
            token, secret = await asyncio.to_thread(
                context.tokens.create, name, role, reach, expires_at, by=context.principal.name
            )
        except NotCopiedError as error:
            raise UnavailableError(str(error)) from error
        except BadTokenError as error:
            return _not_made("BAD_TOKEN", str(error), error.field)
        return CreateApiTokenPayload(token=ApiToken.of(token), secret=secret, user_errors=[])

    @strawberry.mutation(
        description="Revoke an API token: from now on it opens nothing. Its record stays.", extensions=admin()
    )
    async def revoke_api_token(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="The token's id.")],  # noqa: A002
    ) -> RevokeApiTokenPayload:
        mine = any(token.id == id for token in await visible_tokens(info))
        try:
            # One that is out of reach is answered as one that is not there.
            token = await asyncio.to_thread(
                info.context.tokens.revoke, id if mine else "", by=info.context.principal.name
            )
        except NotCopiedError as error:
            raise UnavailableError(str(error)) from error
        except UnknownTokenError:
            message = f"There is no token {id!r}; apiTokens lists those that there are."
            wrong = user_error("UNKNOWN_TOKEN", message, "id")
            return RevokeApiTokenPayload(token=None, user_errors=[wrong])
        return RevokeApiTokenPayload(token=ApiToken.of(token), user_errors=[])


def _not_made(code: str, message: str, field: str | None) -> CreateApiTokenPayload:
    return CreateApiTokenPayload(token=None, secret=None, user_errors=[user_error(code, message, field)])
