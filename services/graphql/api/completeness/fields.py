"""Root fields on what is proved."""

from __future__ import annotations

import strawberry

from services.graphql.api.completeness.types import Census, Completeness, Entity, census_of, completeness_of
from services.graphql.api.context import Info
from services.graphql.api.project_names import ProjectId, project_of


@strawberry.type
class CompletenessQuery:
    @strawberry.field(
        description="Whether all that Jira has of a project is here, by kind of entity: proved when, and why not."
    )
    async def completeness(self, info: Info, project_id: ProjectId, entity: Entity = None) -> list[Completeness]:
        return await completeness_of(info, await project_of(info, project_id), entity)

    @strawberry.field(description="What a project's last census did.")
    async def census(self, info: Info, project_id: ProjectId) -> Census:
        return await census_of(info, await project_of(info, project_id))
