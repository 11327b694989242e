"""Root fields for those who steer: who am I, what may be chosen, when would it run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import strawberry

from libs.temporal.commands import JiraRefusedError
from libs.temporal.cron import BadCron, check, describe, next_runs, notes
from libs.temporal.messages import AnyQuestion, FindProjects, FindUsers, Option, Options
from services.graphql.api.access.mutations import visible_tokens
from services.graphql.api.access.types import ApiToken, Viewer
from services.graphql.api.commands import UserError
from services.graphql.api.context import Info
from services.graphql.api.ingestor import NOT_DONE
from services.graphql.api.issues.types import User
from services.graphql.api.projects.fields import ProjectId, project_of
from services.graphql.api.roles import admin
from services.graphql.execution.errors import bad_input, coded
from services.graphql.reading.arguments import keyset
from services.graphql.reading.cursors import encode

argument = strawberry.argument

PREVIEWED = 5

Search = Annotated[str, argument(description="Part of the name or key; empty: all.")]
After = Annotated[str | None, argument(description="endCursor of the page before.")]


@strawberry.type(description="What a cron expression would do.")
class CronPreview:
    valid: bool = strawberry.field(description="Whether it would be taken.")
    words: str | None = strawberry.field(description="What it says, in words.")
    runs: list[datetime] = strawberry.field(description="The next five runs.")
    notes: list[str] = strawberry.field(description="What to know about it, such as days on which clocks change.")
    user_errors: list[UserError] = strawberry.field(description="Why it would not be taken.")


@strawberry.type(description="A project that Jira shows to the account that we use.")
class JiraProjectOption:
    id: strawberry.ID = strawberry.field(description="Jira's id.")
    key: str = strawberry.field(description="Its key.")
    name: str = strawberry.field(description="Its name.")
    registered: bool = strawberry.field(description="Whether it is registered already.")


@strawberry.type(description="A page of projects to choose from.")
class JiraProjectOptions:
    nodes: list[JiraProjectOption] = strawberry.field(description="The projects.")
    end_cursor: str | None = strawberry.field(description="Give it as `after` for the next page.")
    has_next_page: bool = strawberry.field(description="Whether there is one.")


@strawberry.type(description="A page of users to choose from.")
class JiraUserOptions:
    nodes: list[User] = strawberry.field(description="The users.")
    end_cursor: str | None = strawberry.field(description="Give it as `after` for the next page.")
    has_next_page: bool = strawberry.field(description="Whether there is one.")


@strawberry.type
class AdminQuery:
    @strawberry.field(description="The one who asks: name, role and reach of the token.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.principal)

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
        found = await _ask(info, FindProjects(site=site, search=search.strip(), start=_start(after)))
        known = {(row["site"], row["key"]) for row in await asyncio.to_thread(info.context.queries.projects)}
        seen = [option for option in found.options if info.context.principal.sees(site, option.key)]
        return JiraProjectOptions(
            nodes=[
                JiraProjectOption(
                    id=strawberry.ID(option.id),
                    key=option.key,
                    name=option.name,
                    registered=(site, option.key) in known,
                )
                for option in seen
            ],
            end_cursor=_cursor(found),
            has_next_page=found.next_start is not None,
        )

    @strawberry.field(description="People for a project's watch list, asked from Jira now.", extensions=admin())
    async def jira_project_user_options(
        self, info: Info, project_id: ProjectId, search: Search = "", after: After = None
    ) -> JiraUserOptions:
        project = await project_of(info, project_id)
        question = FindUsers(site=project["site"], project=project["key"], search=search.strip(), start=_start(after))
        found = await _ask(info, question)
        return JiraUserOptions(
            nodes=[_user(option) for option in found.options],
            end_cursor=_cursor(found),
            has_next_page=found.next_start is not None,
        )

    @strawberry.field(description="The API tokens that there are and were, newest first.", extensions=admin())
    async def api_tokens(self, info: Info) -> list[ApiToken]:
        return [ApiToken.of(token) for token in await visible_tokens(info)]


def _preview(cron: str, timezone: str) -> CronPreview:
    try:
        check(cron, timezone)
    except BadCron as error:
        wrong = UserError(code=error.code, message=str(error), field=error.field)
        return CronPreview(valid=False, words=None, runs=[], notes=[], user_errors=[wrong])
    return CronPreview(
        valid=True,
        words=describe(cron),
        runs=next_runs(cron, timezone, datetime.now(UTC), PREVIEWED),
        notes=notes(cron, timezone),
        user_errors=[],
    )


async def _ask(info: Info, question: AnyQuestion) -> Options:
    """Ask Jira; what it refuses is an error with the classified code and the advice."""
    try:
        return await info.context.discovery.ask(question)
    except JiraRefusedError as error:
        raise coded(error.code, str(error), advice=error.advice) from error
    except NOT_DONE as error:
        raise coded(error.code, str(error)) from error


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
