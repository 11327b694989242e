"""Root fields on the way to Jira and from it: what is closed, webhooks, and how late the search is."""

from __future__ import annotations

from typing import Annotated

import strawberry

from libs.temporal.messages import FindClosings, FindLateness
from services.graphql.api.context import Info
from services.graphql.api.jira.questions import answer
from services.graphql.api.jira.types import JiraClosing, SearchLateness, Webhooks
from services.graphql.api.roles import operator
from services.graphql.execution.errors import coded

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

    @strawberry.field(
        description="How late Jira's search has shown changes of the site, as the ingestor has it now;"
        " Jira is not asked.",
        extensions=operator(),
    )
    async def search_lateness(self, info: Info, site: Site = None) -> SearchLateness | None:
        found = await answer(info, FindLateness(site=site or info.context.defaults.site))
        return None if found.lateness is None else SearchLateness.of(found.lateness)

    @strawberry.field(
        description="Jira's webhooks of our site: whether they are taken, and when the last one came.",
        extensions=operator(),
    )
    async def webhooks(self, info: Info) -> Webhooks:
        keeper = info.context.keeper
        try:
            return Webhooks.of(info.context.defaults.known_site, None if keeper is None else await keeper.kept())
        except Exception as error:
            raise coded(
                "LOG_UNAVAILABLE", f"The event log does not answer: {error}. Ask again when it does."
            ) from error
