"""How projects are named: `<site>:<key>`, and the project that an argument of any field names."""

from __future__ import annotations

from typing import Annotated

import strawberry

from libs.events import ProjectKey
from services.graphql.api.context import Info
from services.graphql.execution.errors import not_found
from services.graphql.reading.projects import ProjectQueries
from services.graphql.reading.reader import Row

ProjectId = Annotated[strawberry.ID, strawberry.argument(description="Jira's id, the key, or <site>:<key>.")]


def uid(project: ProjectKey) -> strawberry.ID:
    """The name of a project that never changes; every `projectId` argument takes it."""
    return strawberry.ID(f"{project.site}:{project.key}")


def key_of(row: Row) -> ProjectKey:
    """The project that a row is of; not one of `project`, which has another name for the key."""
    return ProjectKey(row["site"], row["project_key"])


async def find_project(info: Info, named: str) -> ProjectKey | None:
    """The registered project that the caller names, when the caller may see it."""
    row = await info.context.queries(ProjectQueries).project_by_id_or_key(named)
    return None if row is None else ProjectKey(row["site"], row["key"])


async def project_of(info: Info, named: str) -> ProjectKey:
    """The registered project that the caller names.

    Raises:
        GraphQLError: there is none that the caller may see.
    """
    project = await find_project(info, named)
    if project is None:
        keys = ", ".join(known["key"] for known in await info.context.queries(ProjectQueries).projects())
        raise not_found(f"no project {named!r} is registered; registered are: {keys or 'none'}")
    return project
