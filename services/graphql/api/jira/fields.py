"""Root field on what is closed."""

from __future__ import annotations

from typing import Annotated

import strawberry

from libs.temporal.messages import FindClosings
from services.graphql.api.context import Info
from services.graphql.api.jira.questions import answer
from services.graphql.api.jira.types import JiraClosing
from services.graphql.api.roles import operator

Site = Annotated[str | None, strawberry.argument(description="Short name of the Jira site; left out: ours.")]


@strawberry.type
class GateQuery:
    @strawberry.field(
        description="What is closed because Jira asked for a pause, as the ingestor has it now; Jira is not asked."
        " Of several ingestors one answers.",
        extensions=operator(),
    )
    async def jira_closings(self, info: Info, site: Site = None) -> list[JiraClosing]:
        found = await answer(info, FindClosings(site=site or info.context.defaults.site))
        return [JiraClosing.of(closing) for closing in found.closings]
