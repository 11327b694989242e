"""Root fields on how the syncs stand."""

from __future__ import annotations

from typing import Annotated

import strawberry

from services.graphql.api.context import Info
from services.graphql.api.issues.types import User
from services.graphql.api.project_names import ProjectId, project_of
from services.graphql.api.syncs.completeness import Census, Completeness, Entity, census_of, completeness_of
from services.graphql.api.syncs.queries import LogFilter, SyncQueries
from services.graphql.api.syncs.types import (
    Absence,
    ProjectChange,
    SchemaDrift,
    SyncJob,
    SyncLog,
    SyncLogLevel,
    SyncRun,
    SyncState,
    changes_of,
    runs_of,
)
from services.graphql.reading.pages import MAX_LIST, MAX_LOGS, how_many, keyset, position_in, within

argument = strawberry.argument

Limit = Annotated[int, argument(description=how_many(MAX_LIST))]


@strawberry.type
class SyncQuery:
    @strawberry.field(description="How fresh each kind of entity of a project is, and why not.")
    async def sync_states(self, info: Info, project_id: ProjectId) -> list[SyncState]:
        project = await project_of(info, project_id)
        rows = await info.context.queries(SyncQueries).sync_states(project)
        return [SyncState.of(row) for row in rows]

    @strawberry.field(description="What happened during a project's syncs, newest first.")
    async def sync_logs(
        self,
        info: Info,
        project_id: ProjectId,
        limit: Annotated[int, argument(description=how_many(MAX_LOGS))] = 100,
        level: Annotated[SyncLogLevel | None, argument(description="Only of this level.")] = None,
        warning: Annotated[bool | None, argument(description="true: only warnings; false: none.")] = None,
        entity: Annotated[str | None, argument(description="Only on this kind of entity.")] = None,
        run_id: Annotated[str | None, argument(description="Only of this run.")] = None,
        text: Annotated[str | None, argument(description="Only with this in the message.")] = None,
        before: Annotated[strawberry.ID | None, argument(description="Id of an entry: only what is older.")] = None,
        after: Annotated[strawberry.ID | None, argument(description="Id of an entry: only what is newer.")] = None,
    ) -> list[SyncLog]:
        narrow = LogFilter(
            levels=_levels(level, warning),
            entity=entity,
            run_id=run_id,
            text=text or None,
            before=position_in(before, "before"),
            after=position_in(after, "after"),
        )
        project = await project_of(info, project_id)
        rows = await info.context.queries(SyncQueries).sync_logs(project, within("limit", limit, MAX_LOGS), narrow)
        return [SyncLog.of(row) for row in rows]

    @strawberry.field(
        description="Whether all that Jira has of a project is here, by kind of entity: proved when, and why not."
    )
    async def completeness(self, info: Info, project_id: ProjectId, entity: Entity = None) -> list[Completeness]:
        return await completeness_of(info, await project_of(info, project_id), entity)

    @strawberry.field(description="What a project's last census did.")
    async def census(self, info: Info, project_id: ProjectId) -> Census:
        return await census_of(info, await project_of(info, project_id))

    @strawberry.field(description="The scheduled syncs of all projects.")
    async def sync_jobs(self, info: Info) -> list[SyncJob]:
        return [SyncJob.of(row) for row in await info.context.queries(SyncQueries).sync_jobs()]

    @strawberry.field(description="A project's last runs, newest first.")
    async def sync_runs(self, info: Info, project_id: ProjectId, limit: Limit = 50) -> list[SyncRun]:
        project = await project_of(info, project_id)
        return await runs_of(info, project, limit)

    @strawberry.field(description="What was decided about a project: who, when, why; newest first.")
    async def project_changes(
        self,
        info: Info,
        project_id: ProjectId,
        limit: Limit = 50,
        before: Annotated[strawberry.ID | None, argument(description="Id of an entry: only what is older.")] = None,
    ) -> list[ProjectChange]:
        project = await project_of(info, project_id)
        return await changes_of(info, project, limit, before)

    @strawberry.field(description="Fields of Jira's answers that changed under a project's syncs, newest first.")
    async def schema_drifts(
        self,
        info: Info,
        project_id: ProjectId,
        limit: Limit = 50,
        before: Annotated[strawberry.ID | None, argument(description="Id of an entry: only what is older.")] = None,
    ) -> list[SchemaDrift]:
        position, count = position_in(before, "before"), within("limit", limit, MAX_LIST)
        project = await project_of(info, project_id)
        rows = await info.context.queries(SyncQueries).schema_drifts(project, count, position)
        return [SchemaDrift.of(row) for row in rows]

    @strawberry.field(description="A project's watch list, by name; empty when everybody is tracked.")
    async def tracked_users(self, info: Info, project_id: ProjectId) -> list[User]:
        project = await project_of(info, project_id)
        rows = await info.context.queries(SyncQueries).tracked_users(project)
        return [User.tracked(row) for row in rows]

    @strawberry.field(description="What was stored of a project and is not shown any more, and why; latest first.")
    async def absences(
        self,
        info: Info,
        project_id: ProjectId,
        limit: Annotated[int, argument(description=how_many(MAX_LOGS))] = 100,
        after: Annotated[str | None, argument(description="Cursor of an entry: what comes behind it follows.")] = None,
    ) -> list[Absence]:
        behind = keyset(after, 3)
        project = await project_of(info, project_id)
        rows = await info.context.queries(SyncQueries).absences(project, within("limit", limit, MAX_LOGS), behind)
        return [Absence.of(row) for row in rows]


def _levels(level: SyncLogLevel | None, warning: bool | None) -> tuple[str, ...] | None:
    """The levels of the log that are asked for: a warning is an INFO of the contract."""
    asked = {"DEBUG", "INFO", "WARNING", "ERROR"}
    if level is not None:
        asked &= {"INFO", "WARNING"} if level is SyncLogLevel.INFO else {level.value}
    if warning is not None:
        asked = asked & {"WARNING"} if warning else asked - {"WARNING"}
    return None if len(asked) == 4 else tuple(sorted(asked))
