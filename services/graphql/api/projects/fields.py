"""Root fields on projects, and on what there is to choose from when one is registered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

import strawberry

from libs.temporal.cron import BadCron, check, describe, next_runs, notes
from libs.temporal.messages import FindProjects, FindUsers, Option, Options
from services.graphql.api.context import Info
from services.graphql.api.issues.types import User
from services.graphql.api.jira.questions import answer
from services.graphql.api.payloads import user_error
from services.graphql.api.project_names import ProjectId, project_of
from services.graphql.api.projects.types import (
    CronPreview,
    JiraProjectOption,
    JiraProjectOptions,
    JiraUserOptions,
    Project,
)
from services.graphql.api.roles import admin
from services.graphql.execution.errors import bad_input
from services.graphql.reading.pages import encode, keyset
from services.graphql.reading.projects import ProjectQueries

argument = strawberry.argument

PREVIEWED: Final = 5

Search = Annotated[str, argument(description="Part of the name or key; empty: all.")]
After = Annotated[str | None, argument(description="endCursor of the page before.")]


@strawberry.type
class ProjectQuery:
    @strawberry.field(description="A registered project by Jira's id or by key; null when there is none.")
    async def project(self, info: Info, project_id: ProjectId) -> Project | None:
        row = await info.context.queries(ProjectQueries).project_by_id_or_key(project_id)
        return None if row is None else Project.of(row)

    @strawberry.field(description="All registered projects, by key.")
    async def projects(self, info: Info) -> list[Project]:
        return [Project.of(row) for row in await info.context.queries(ProjectQueries).projects()]


@strawberry.type
class ChoiceQuery:
    @strawberry.field(description="What a schedule would do: in words, its next runs, or what is wrong with it.")
    async def cron_preview(
        self,
        cron: Annotated[str, argument(description="Five fields.")],
        timezone: Annotated[str, argument(description="An IANA name such as Europe/Berlin.")] = "UTC",
    ) -> CronPreview:
        return await asyncio.to_thread(_preview, cron, timezone)

    @strawberry.field(description="Projects to register, asked from Jira now.", extensions=admin())
    async def jira_project_options(
        self,
        info: Info,
        search: Search = "",
        after: After = None,
        site: Annotated[str | None, argument(description="Short name of the Jira site; left out: ours.")] = None,
    ) -> JiraProjectOptions:
        site = site or info.context.defaults.site
        found = await answer(info, FindProjects(site=site, search=search.strip(), start=_start(after)))
        rows = await info.context.queries(ProjectQueries).projects()
        ours = [row for row in rows if row["site"] == site]
        registered = {row["project_id"]: row["key"] for row in ours} | {row["key"]: row["key"] for row in ours}
        return JiraProjectOptions(
            nodes=[
                JiraProjectOption(
                    id=strawberry.ID(option.id),
                    key=option.key,
                    name=option.name,
                    registered=(registered_as := registered.get(option.key) or registered.get(option.id)) is not None,
                    registered_as=registered_as,
                )
                for option in found.options
                if info.context.principal.sees(site, option.key)
            ],
            end_cursor=_cursor(found),
            has_next_page=found.next_start is not None,
        )

    @strawberry.field(description="People for a project's watch list, asked from Jira now.", extensions=admin())
    async def jira_project_user_options(
        self, info: Info, project_id: ProjectId, search: Search = "", after: After = None
    ) -> JiraUserOptions:
        project = await project_of(info, project_id)
        question = FindUsers(site=project.site, project=project.key, search=search.strip(), start=_start(after))
        found = await answer(info, question)
        return JiraUserOptions(
            nodes=[_user(option) for option in found.options],
            end_cursor=_cursor(found),
            has_next_page=found.next_start is not None,
        )


def _preview(cron: str, timezone: str) -> CronPreview:
    try:
        check(cron, timezone)
    except BadCron as error:
        wrong = user_error(error.code, str(error), error.field)
        return CronPreview(valid=False, words=None, runs=[], notes=[], user_errors=[wrong])
    return CronPreview(
        valid=True,
        words=describe(cron),
        runs=next_runs(cron, timezone, datetime.now(UTC), PREVIEWED),
        notes=notes(cron, timezone),
        user_errors=[],
    )


def _start(after: str | None) -> int:
    values = keyset(after, 1)
    try:
        return int(values[0]) if values else 0
    except ValueError as error:
        raise bad_input(f"after: {error}") from error


def _cursor(found: Options) -> str | None:
    return None if found.next_start is None else encode((str(found.next_start),))


def _user(option: Option) -> User:
    return User(
        id=strawberry.ID(option.id),
        display_name=option.name,
        active=option.active,
        account_type=option.account_type,
        avatar_url=option.avatar_url,
    )
