"""What callers may ask of censuses."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from libs.temporal.messages import ProveProject
from services.graphql.api.commands import IdempotencyKey, Reason
from services.graphql.api.context import Info
from services.graphql.api.project_names import ProjectId
from services.graphql.api.roles import operator
from services.graphql.api.syncs.payloads import SyncJobPayload, on_project

Accept = Annotated[
    bool | None,
    strawberry.argument(
        description="Let go what the last census has held back, as you have looked at it: as many issues, no more."
    ),
]


@strawberry.type
class CompletenessMutation:
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
        make = partial(ProveProject, accept=bool(accept))
        return await on_project(info, project_id, reason, idempotency_key, make)
