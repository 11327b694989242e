"""Root fields on who may ask."""

from __future__ import annotations

import asyncio

import strawberry

from libs.access import ApiToken as StoredToken
from services.graphql.api.access.types import ApiToken, Viewer
from services.graphql.api.context import Info
from services.graphql.api.roles import admin
from services.graphql.reading.reader import Projects


@strawberry.type
class ViewerQuery:
    @strawberry.field(description="The one who asks: name, role and reach of the token.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.principal)


@strawberry.type
class TokenQuery:
    @strawberry.field(description="The API tokens that there are and were, newest first.", extensions=admin())
    async def api_tokens(self, info: Info) -> list[ApiToken]:
        return [ApiToken.of(token) for token in await visible_tokens(info)]


async def visible_tokens(info: Info) -> list[StoredToken]:
    """The tokens whose reach lies within the caller's own."""
    tokens = await asyncio.to_thread(info.context.tokens.list)
    return [token for token in tokens if lies_within(token.projects, info.context.principal.projects)]


def lies_within(reach: Projects | None, own: Projects | None) -> bool:
    """Whether one reach is no wider than another; None reaches everything."""
    return own is None or (reach is not None and reach <= own)
