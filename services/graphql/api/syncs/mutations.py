"""What callers may change about when a project is synced."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from libs.temporal.messages import PauseSync, ProveProject, RequestSync, RescheduleSync, ResumeSync, StartSync
from services.graphql.api.commands import IdempotencyKey, Reason
from services.graphql.api.context import Info
from services.graphql.api.project_names import ProjectId
from services.graphql.api.roles import admin, operator
from services.graphql.api.syncs.payloads import SyncJobPayload, on_project
from services.graphql.api.syncs.types import Timezone

argument = strawberry.argument

Full = Annotated[bool | None, argument(description="Read every issue again instead of those that changed.")]
Accounts = Annotated[list[str] | None, argument(description="Only issues in which one of these has a part.")]
Accept = Annotated[
    bool | None,
    argument(description="Let go what the last census has held back, as you have looked at it: as many, no more."),
]
Cron = Annotated[str, argument(description="Five fields, such as */15 * * * *.")]


@strawberry.type
class SyncMutation:
    @strawberry.mutation(description="Resume a project's schedule and sync it now.", extensions=operator())
    async def start_project_sync(
        self,
        info: Info,
        project_id: ProjectId,
        full: Full = None,
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, partial(StartSync, full=bool(full)))

    @strawberry.mutation(
        description="Pause a project's schedule. A run in progress is not stopped.", extensions=operator()
    )
    async def pause_project_sync(
        self, info: Info, project_id: ProjectId, reason: Reason = None, idempotency_key: IdempotencyKey = None
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, PauseSync)

    @strawberry.mutation(
        description="Resume a project's schedule; the next run is the next one that is due.", extensions=operator()
    )
    async def resume_project_sync(
        self, info: Info, project_id: ProjectId, reason: Reason = None, idempotency_key: IdempotencyKey = None
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, ResumeSync)

    @strawberry.mutation(
        description="Sync a project now, or right after the run in progress; a pause stays.", extensions=operator()
    )
    async def trigger_project_sync(
        self,
        info: Info,
        project_id: ProjectId,
        full: Full = None,
        account_ids: Accounts = None,
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> SyncJobPayload:
        return await on_project(
            info,
            project_id,
            reason,
            idempotency_key,
            partial(RequestSync, full=bool(full), account_ids=tuple(account_ids or ())),
        )

    @strawberry.mutation(
        description="Take a census of a project now: all ids that Jira lists of it are compared with what is stored,"
        " what is missing is fetched, and what is gone is recorded as gone.",
        extensions=operator(),
    )
    async def prove_project(
        self,
        info: Info,
        project_id: ProjectId,
        accept: Accept = None,
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, partial(ProveProject, accept=bool(accept)))

    @strawberry.mutation(description="Give a project another schedule; a pause stays.", extensions=admin())
    async def reschedule_project_sync(
        self,
        info: Info,
        project_id: ProjectId,
        cron: Cron,
        timezone: Timezone = None,
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> SyncJobPayload:
        return await on_project(
            info, project_id, reason, idempotency_key, partial(RescheduleSync, cron=cron, timezone=timezone)
        )
