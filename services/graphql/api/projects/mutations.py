"""What callers may change. Each change of a project is carried out by the ingestor and becomes an event."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from libs.temporal.messages import (
    PauseSync,
    RegisterProject,
    RequestSync,
    RescheduleSync,
    ResumeSync,
    SetTrackedUsers,
    StartSync,
    UnregisterProject,
)
from services.graphql.api.access.mutations import TokenMutation
from services.graphql.api.alerts.mutations import AlertMutation
from services.graphql.api.commands import SyncJobPayload, carried_out, frame, on_project, refused
from services.graphql.api.context import Info
from services.graphql.api.projects.fields import ProjectId
from services.graphql.api.roles import admin, operator
from services.graphql.reading.arguments import Once, Reason

argument = strawberry.argument

Full = Annotated[bool | None, argument(description="Read every issue again instead of those that changed.")]
Accounts = Annotated[list[str] | None, argument(description="Only issues in which one of these has a part.")]
Cron = Annotated[str, argument(description="Five fields, such as */15 * * * *.")]
Timezone = Annotated[
    str | None, argument(description="An IANA name such as Europe/Berlin; left out: as it is, or UTC.")
]


@strawberry.type(description="Changes. Each is carried out by the ingestor and becomes an event.")
class Mutation(AlertMutation, TokenMutation):
    @strawberry.mutation(description="Resume a project's schedule and sync it now.", extensions=operator())
    async def start_project_sync(
        self, info: Info, project_id: ProjectId, full: Full = None, reason: Reason = None, idempotency_key: Once = None
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, partial(StartSync, full=bool(full)))

    @strawberry.mutation(
        description="Pause a project's schedule. A run in progress is not stopped.", extensions=operator()
    )
    async def pause_project_sync(
        self, info: Info, project_id: ProjectId, reason: Reason = None, idempotency_key: Once = None
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, PauseSync)

    @strawberry.mutation(
        description="Resume a project's schedule; the next run is the next one that is due.", extensions=operator()
    )
    async def resume_project_sync(
        self, info: Info, project_id: ProjectId, reason: Reason = None, idempotency_key: Once = None
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
        idempotency_key: Once = None,
    ) -> SyncJobPayload:
        return await on_project(
            info,
            project_id,
            reason,
            idempotency_key,
            partial(RequestSync, full=bool(full), account_ids=tuple(account_ids or ())),
        )

    @strawberry.mutation(description="Give a project another schedule; a pause stays.", extensions=admin())
    async def reschedule_project_sync(
        self,
        info: Info,
        project_id: ProjectId,
        cron: Cron,
        timezone: Timezone = None,
        reason: Reason = None,
        idempotency_key: Once = None,
    ) -> SyncJobPayload:
        return await on_project(
            info, project_id, reason, idempotency_key, partial(RescheduleSync, cron=cron, timezone=timezone)
        )

    @strawberry.mutation(
        description="Sync a project from now on. Its first sync starts at once; one that is registered stays as it is.",
        extensions=admin(),
    )
    async def register_project(
        self,
        info: Info,
        key: Annotated[str, argument(description="The project's key in Jira, such as DEMO.")],
        site: Annotated[str | None, argument(description="Short name of the Jira site; left out: ours.")] = None,
        cron: Annotated[str | None, argument(description="Five fields; left out: the default schedule.")] = None,
        timezone: Timezone = None,
        account_ids: Annotated[
            list[str] | None, argument(description="Watch list: sync only issues in which one of these has a part.")
        ] = None,
        reason: Reason = None,
        idempotency_key: Once = None,
    ) -> SyncJobPayload:
        context = info.context
        site, key = site or context.defaults.site, key.strip().upper()
        if not context.principal.sees(site, key):
            return refused("FORBIDDEN", f"This token does not reach project {key} of site {site}.", "key")
        command = RegisterProject(
            **frame(info, site, key, reason, idempotency_key),
            cron=cron or context.defaults.cron,
            timezone=timezone or "UTC",
            account_ids=tuple(account_ids or ()),
            check=True,
        )
        return await carried_out(info, command)

    @strawberry.mutation(
        description="Sync a project no longer, and show it no longer. What was read stays in the event log.",
        extensions=admin(),
    )
    async def unregister_project(
        self, info: Info, project_id: ProjectId, reason: Reason = None, idempotency_key: Once = None
    ) -> SyncJobPayload:
        return await on_project(info, project_id, reason, idempotency_key, UnregisterProject)

    @strawberry.mutation(
        description="Set a project's watch list: only issues in which one of these has a part are synced and shown."
        " A changed list starts a full sync, which brings what those who were added have, and marks as UNTRACKED what"
        " nobody on the list is left for. An empty list tracks everybody.",
        extensions=admin(),
    )
    async def set_tracked_users(
        self,
        info: Info,
        project_id: ProjectId,
        account_ids: Annotated[list[str], argument(description="The whole list: Atlassian account ids.")],
        reason: Reason = None,
        idempotency_key: Once = None,
    ) -> SyncJobPayload:
        return await on_project(
            info, project_id, reason, idempotency_key, partial(SetTrackedUsers, account_ids=tuple(account_ids))
        )
