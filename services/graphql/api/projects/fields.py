"""Root fields on projects, and how every root field finds the project that an argument names."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry

from services.graphql.api.context import Info
from services.graphql.api.projects.types import Project
from services.graphql.execution.errors import not_found
from services.graphql.reading.reader import Row

ProjectId = Annotated[strawberry.ID, strawberry.argument(description="Jira's id, the key, or <site>:<key>.")]


async def find_project(info: Info, wanted: str) -> Row | None:
    """The registered project that the caller names, when the caller may see it."""
    return await asyncio.to_thread(info.context.queries.project_by_id_or_key, wanted)


async def project_of(info: Info, wanted: str) -> Row:
    """The registered project that the caller names.

    Raises:
        GraphQLError: there is none that the caller may see.
    """
    row = await find_project(info, wanted)
    if row is None:
        keys = ", ".join(known["key"] for known in await asyncio.to_thread(info.context.queries.projects))
        raise not_found(f"no project {wanted!r} is registered; registered are: {keys or 'none'}")
    return row


@strawberry.type
class ProjectQuery:
    @strawberry.field(description="A registered project by Jira's id or by key; null when there is none.")
    async def project(self, info: Info, project_id: ProjectId) -> Project | None:
        row = await find_project(info, project_id)
        return None if row is None else Project.of(row)

    @strawberry.field(description="All registered projects, by key.")
    async def projects(self, info: Info) -> list[Project]:
        return [Project.of(row) for row in await asyncio.to_thread(info.context.queries.projects)]
