"""What can be asked. Run as a program it prints the schema: `python -m services.graphql.schema > schema.graphql`."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import strawberry

from services.graphql.context import Info
from services.graphql.cursors import BadCursorError, decode, encode
from services.graphql.errors import bad_input, not_found
from services.graphql.limits import EXTENSIONS
from services.graphql.mutations import Mutation
from services.graphql.queries import IssueFilter, Row
from services.graphql.types import (
    Issue,
    IssueConnection,
    IssueEdge,
    PageInfo,
    Project,
    Sprint,
    SyncJob,
    SyncLog,
    SyncState,
    SyncStatus,
    User,
)

MAX_PAGE = 100
MAX_LOGS = 1000


@strawberry.input(description="Narrows a list of issues; what is left out does not narrow.")
class IssueFilterInput:
    assignee: str | None = strawberry.field(default=None, description="Account id of the assignee.")
    status: str | None = strawberry.field(default=None, description="Name of the status.")
    sprint: str | None = strawberry.field(default=None, description="Id of a sprint the issue is or was planned in.")
    updated_since: datetime | None = strawberry.field(default=None, description="Changed at or after this moment.")
    text: str | None = strawberry.field(default=None, description="Found in key, summary or description.")


@strawberry.type(description="Everything that can be read.")
class Query:
    @strawberry.field(description="A registered project by Jira's id or by key; null when there is none.")
    async def project(self, info: Info, project_id: strawberry.ID) -> Project | None:
        row = await asyncio.to_thread(info.context.queries.project_by_id_or_key, project_id)
        return None if row is None else Project.of(row)

    @strawberry.field(description="All registered projects, by key.")
    async def projects(self, info: Info) -> list[Project]:
        return [Project.of(row) for row in await asyncio.to_thread(info.context.queries.projects)]

    @strawberry.field(description="One issue, by Jira's id or by key; null when it is not stored.")
    async def issue(self, info: Info, id: strawberry.ID | None = None, key: str | None = None) -> Issue | None:  # noqa: A002
        if (id is None) == (key is None):
            raise bad_input("give either id or key")
        queries = info.context.queries
        find, wanted = (queries.issue_by_id, id) if id is not None else (queries.issue_by_key, key or "")
        row = await asyncio.to_thread(find, wanted)
        return None if row is None else Issue.of(row)

    @strawberry.field(description="Issues of a project, the last changed first, page by page.")
    async def issues(
        self,
        info: Info,
        project_id: strawberry.ID,
        first: int = 50,
        after: str | None = None,
        filter: IssueFilterInput | None = None,  # noqa: A002
    ) -> IssueConnection:
        if not 1 <= first <= MAX_PAGE:
            raise bad_input(f"first must be between 1 and {MAX_PAGE}, not {first}; go on with after")
        try:
            behind = None if after is None else decode(after, 2)
        except BadCursorError as error:
            raise bad_input(f"after: {error}") from error
        project = await _project(info, project_id)
        rows = await asyncio.to_thread(
            info.context.queries.issues_page, project["site"], project["key"], _narrow(filter), behind, first + 1
        )
        return _connection(rows[:first], more=len(rows) > first, began=after is not None)

    @strawberry.field(description="Sprints of a project's boards, and those its issues are planned in.")
    async def sprints(self, info: Info, project_id: strawberry.ID) -> list[Sprint]:
        project = await _project(info, project_id)
        rows = await asyncio.to_thread(info.context.queries.sprints_of_project, project["site"], project["key"])
        return [Sprint.of(row) for row in rows]

    @strawberry.field(description="Users, by name; of a project: those who have a part in its issues.")
    async def users(self, info: Info, project_id: strawberry.ID | None = None) -> list[User]:
        if project_id is None:
            rows = await asyncio.to_thread(info.context.queries.users_of_site, None, None)
        else:
            project = await _project(info, project_id)
            rows = await asyncio.to_thread(info.context.queries.users_of_site, project["site"], project["key"])
        return [User.of(row, row["account_id"]) for row in rows]

    @strawberry.field(description="How fresh each kind of entity of a project is, and why not.")
    async def sync_states(self, info: Info, project_id: strawberry.ID) -> list[SyncState]:
        project = await _project(info, project_id)
        rows = await asyncio.to_thread(info.context.queries.sync_states, project["site"], project["key"])
        return [SyncState.of(row) for row in rows]

    @strawberry.field(description="What happened during a project's syncs, newest first.")
    async def sync_logs(self, info: Info, project_id: strawberry.ID, limit: int = 100) -> list[SyncLog]:
        if not 1 <= limit <= MAX_LOGS:
            raise bad_input(f"limit must be between 1 and {MAX_LOGS}, not {limit}")
        project = await _project(info, project_id)
        rows = await asyncio.to_thread(info.context.queries.sync_logs, project["site"], project["key"], limit)
        return [SyncLog.of(row) for row in rows]

    @strawberry.field(description="The scheduled syncs of all projects.")
    async def sync_jobs(self, info: Info) -> list[SyncJob]:
        return [SyncJob.of(row) for row in await asyncio.to_thread(info.context.queries.sync_jobs)]


async def _project(info: Info, wanted: str) -> Row:
    row = await asyncio.to_thread(info.context.queries.project_by_id_or_key, wanted)
    if row is None:
        keys = ", ".join(known["key"] for known in await asyncio.to_thread(info.context.queries.projects))
        raise not_found(f"no project {wanted!r} is registered; registered are: {keys or 'none'}")
    return row


def _narrow(given: IssueFilterInput | None) -> IssueFilter:
    if given is None:
        return IssueFilter()
    return IssueFilter(
        assignee=given.assignee,
        status=given.status,
        sprint=given.sprint,
        updated_since=None if given.updated_since is None else _stamp(given.updated_since),
        text=given.text,
    )


def _stamp(moment: datetime) -> str:
    """A time as the read tables write it; one without a zone is meant in UTC."""
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:  # year 1 or 9999, and the zone leads beyond it
        raise bad_input(f"updatedSince: {moment.isoformat()} is outside the years 1 to 9999 in UTC") from error
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _connection(rows: list[Row], *, more: bool, began: bool) -> IssueConnection:
    edges = [IssueEdge(cursor=encode((row["updated"], row["issue_id"])), node=Issue.of(row)) for row in rows]
    return IssueConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=more,
            has_previous_page=began,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


class QuietSchema(strawberry.Schema):
    """Does not log errors: `CodedErrors` has, with the trace id, those that are ours."""

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        pass


schema = QuietSchema(
    query=Query,
    mutation=Mutation,
    types=[SyncStatus],
    extensions=EXTENSIONS,
)


if __name__ == "__main__":
    print(schema.as_str())  # noqa: T201 - the program's output
