"""What callers may change about which projects are synced, and whose issues of them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from libs.events import ProjectKey
from libs.temporal.messages import RegisterProject, SetTrackedUsers, UnregisterProject
from services.graphql.api.commands import IdempotencyKey, Reason, common_fields
from services.graphql.api.context import Info
from services.graphql.api.payloads import user_error
from services.graphql.api.project_names import ProjectId
from services.graphql.api.roles import admin
from services.graphql.api.syncs.payloads import SyncJobPayload, carried_out, on_project, refused
from services.graphql.api.syncs.types import Timezone

argument = strawberry.argument


@strawberry.type
class ProjectMutation:
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
        idempotency_key: IdempotencyKey = None,
    ) -> SyncJobPayload:
        context = info.context
        site, key = site or context.defaults.site, key.strip().upper()
        if not context.principal.sees(site, key):
            message = f"This token does not reach project {key} of site {site}."
            return refused(user_error("FORBIDDEN", message, "key"))
        command = RegisterProject(
            **common_fields(info, ProjectKey(site, key), reason, idempotency_key),
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
        self, info: Info, project_id: ProjectId, reason: Reason = None, idempotency_key: IdempotencyKey = None
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
        idempotency_key: IdempotencyKey = None,
    ) -> SyncJobPayload:
        return await on_project(
            info, project_id, reason, idempotency_key, partial(SetTrackedUsers, account_ids=tuple(account_ids))
        )
