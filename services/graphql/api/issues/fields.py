"""Root fields on what Jira holds: issues, sprints, users."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry

from services.graphql.api.context import Info
from services.graphql.api.issues.queries import IssueFilter, IssueQueries
from services.graphql.api.issues.types import Issue, IssueConnection, IssueEdge, PageInfo, Sprint, User
from services.graphql.api.project_names import ProjectId, project_of
from services.graphql.execution.errors import bad_input
from services.graphql.reading.pages import MAX_PAGE, encode, how_many, keyset, within
from services.graphql.reading.reader import Row

argument = strawberry.argument


@strawberry.input(description="Narrows a list of issues; what is left out does not narrow.")
class IssueFilterInput:
    assignee: str | None = strawberry.field(default=None, description="Account id of the assignee.")
    status: str | None = strawberry.field(default=None, description="Name of the status.")
    sprint: str | None = strawberry.field(default=None, description="Id of a sprint the issue is or was planned in.")
    updated_since: datetime | None = strawberry.field(default=None, description="Changed at or after this moment.")
    text: str | None = strawberry.field(
        default=None, description="Found in a key that it has or had, in summary or description."
    )


@strawberry.type
class IssueQuery:
    @strawberry.field(description="One issue, by Jira's id or by key; null when it is not stored.")
    async def issue(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, argument(description="Jira's id.")] = None,  # noqa: A002
        key: Annotated[str | None, argument(description="The key, or one that it had before it moved.")] = None,
    ) -> Issue | None:
        if (id is None) == (key is None):
            raise bad_input("give either id or key")
        queries = info.context.queries(IssueQueries)
        row = await queries.issue_by_id(id) if id is not None else await queries.issue_by_key(key or "")
        return None if row is None else Issue.of(row)

    @strawberry.field(description="Issues of a project, the last changed first, page by page.")
    async def issues(
        self,
        info: Info,
        project_id: ProjectId,
        first: Annotated[int, argument(description=how_many(MAX_PAGE))] = 50,
        after: Annotated[str | None, argument(description="Cursor of an issue: what comes behind it follows.")] = None,
        filter: Annotated[  # noqa: A002
            IssueFilterInput | None, argument(description="What the list is narrowed to.")
        ] = None,
    ) -> IssueConnection:
        within("first", first, MAX_PAGE, "; go on with after")
        behind = keyset(after, 2)
        project = await project_of(info, project_id)
        rows = await info.context.queries(IssueQueries).issues_page(project, _narrow(filter), behind, first + 1)
        return _connection(rows[:first], more=len(rows) > first, began=after is not None)

    @strawberry.field(description="Sprints of a project's boards, and those its issues are planned in.")
    async def sprints(self, info: Info, project_id: ProjectId) -> list[Sprint]:
        project = await project_of(info, project_id)
        rows = await info.context.queries(IssueQueries).sprints_of_project(project)
        return [Sprint.of(row) for row in rows]

    @strawberry.field(description="Users, by name; of a project: those who have a part in its issues.")
    async def users(
        self,
        info: Info,
        project_id: Annotated[
            strawberry.ID | None, argument(description="Jira's id, the key, or <site>:<key>.")
        ] = None,
    ) -> list[User]:
        project = None if project_id is None else await project_of(info, project_id)
        rows = await info.context.queries(IssueQueries).users(project)
        return [User.of(row, row["account_id"]) for row in rows]


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
