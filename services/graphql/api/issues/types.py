"""What Jira holds, as the API shows it: made from rows of the read tables."""

from datetime import datetime
from typing import Final, Self

import strawberry

from libs.read_tables import FORMER_USER, UNKNOWN_ACCOUNT
from services.graphql.api.context import Info
from services.graphql.api.issues.mentions import named
from services.graphql.api.issues.queries import COMMENTS, SPRINTS, USERS, WORKLOGS
from services.graphql.reading.from_row import FromRow, column, from_row, moment
from services.graphql.reading.reader import Row

LARGEST_INT: Final = 2**31 - 1
"""GraphQL's Int has 32 bits; the tables hold 64. What is beyond shows as the largest, not as an error of the list."""


@strawberry.type(description="A Jira user. People who left Jira are still here, by the name Jira shows for them.")
class User:
    id: strawberry.ID = strawberry.field(description="Atlassian account id.", metadata=column("account_id"))
    display_name: str = strawberry.field(description="The name the user shows; not unique.")
    active: bool = strawberry.field(description="Whether the account is active.")
    account_type: str = strawberry.field(description="atlassian, app, customer or unknown.")
    avatar_url: str | None = strawberry.field(description="Address of the picture.")

    @classmethod
    def of(cls, row: Row | None, account_id: str) -> Self:
        """The user of a row; a stand-in where Jira no longer names one."""
        return cls._unnamed(account_id, FORMER_USER, active=False) if row is None else from_row(cls, row)

    @classmethod
    def tracked(cls, row: Row) -> Self:
        """A user of a watch list; one whom Jira has not shown yet goes by the account id."""
        account_id = row["account_id"]
        return cls._unnamed(account_id, account_id, active=True) if row["display_name"] is None else from_row(cls, row)

    @classmethod
    def _unnamed(cls, account_id: str, shown: str, *, active: bool) -> Self:
        return cls(
            id=strawberry.ID(account_id), display_name=shown, active=active, account_type="unknown", avatar_url=None
        )


async def load_user(info: Info, site: str, account_id: str) -> User:
    return User.of(await info.context.loaders.one(USERS, (site, account_id)), account_id)


@strawberry.type(description="A sprint of a Jira board.")
class Sprint(FromRow):
    id: strawberry.ID = strawberry.field(description="Jira's id.", metadata=column("sprint_id"))
    name: str = strawberry.field(description="The sprint's name.")
    state: str = strawberry.field(description="future, active or closed.")
    goal: str | None = strawberry.field(description="What the team wants to reach.")
    start_date: datetime | None = strawberry.field(description="When it started or is planned to.")
    end_date: datetime | None = strawberry.field(description="When it is planned to end.")
    complete_date: datetime | None = strawberry.field(description="When it was closed.")


@strawberry.type(description="A comment on an issue.")
class Comment(FromRow):
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id.", metadata=column("comment_id"))
    body: str = strawberry.field(
        description="The text, readable, made from Jira's document format.", resolver=named("body"), graphql_type=str
    )
    created: datetime = strawberry.field(description="When it was written.")
    updated: datetime | None = strawberry.field(description="When it was last changed.")

    @strawberry.field(description="Who wrote it.")
    async def author(self, info: Info) -> User:
        return await load_user(info, self.row["site"], self.row["author_id"] or UNKNOWN_ACCOUNT)


@strawberry.type(description="Time logged on an issue.")
class Worklog:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id.", metadata=column("worklog_id"))
    time_spent: int | None = strawberry.field(description="Seconds.", metadata=column("time_spent_seconds"))
    comment: str | None = strawberry.field(
        description="The note left with it, as readable text.", resolver=named("comment"), graphql_type=str | None
    )
    started: datetime = strawberry.field(description="When the work began.")
    updated: datetime = strawberry.field(description="When the entry was last changed.")

    @strawberry.field(description="Who did the work.")
    async def author(self, info: Info) -> User:
        return await load_user(info, self.row["site"], self.row["author_id"] or UNKNOWN_ACCOUNT)

    @classmethod
    def of(cls, row: Row) -> Self:
        seconds = min(max(row["time_spent_seconds"], -LARGEST_INT), LARGEST_INT)
        return from_row(cls, row, started=moment(row["started"] or row["created"]), time_spent=seconds)


@strawberry.type(description="An issue, as Jira last showed it.")
class Issue(FromRow):
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(
        description="Jira's id; it stays when the issue moves.", metadata=column("issue_id")
    )
    key: str = strawberry.field(description="The current key, such as DEMO-7.")
    project_key: str = strawberry.field(description="Key of the registered project.")
    summary: str = strawberry.field(description="The title.")
    description: str | None = strawberry.field(
        description="The description as readable text.", resolver=named("description"), graphql_type=str | None
    )
    status: str = strawberry.field(description="Name of the status.")
    status_category: str | None = strawberry.field(description="new, indeterminate or done.")
    priority: str | None = strawberry.field(description="Name of the priority.")
    issue_type: str | None = strawberry.field(description="Name of the issue type.")
    created: datetime = strawberry.field(description="When it was created.")
    updated: datetime = strawberry.field(description="When Jira last changed it.")

    @strawberry.field(description="Who it is assigned to.")
    async def assignee(self, info: Info) -> User | None:
        account = self.row["assignee_id"]
        return None if account is None else await load_user(info, self.row["site"], account)

    @strawberry.field(description="Who reported it.")
    async def reporter(self, info: Info) -> User | None:
        account = self.row["reporter_id"]
        return None if account is None else await load_user(info, self.row["site"], account)

    @strawberry.field(description="Its active sprint, else the next future one, else the one closed last.")
    async def sprint(self, info: Info) -> Sprint | None:
        if self.row["sprint_id"] is None:
            return None
        row = await info.context.loaders.one(SPRINTS, (self.row["site"], self.row["sprint_id"]))
        return None if row is None else Sprint.of(row)

    @strawberry.field(description="Its comments, oldest first.")
    async def comments(self, info: Info) -> list[Comment]:
        rows = await info.context.loaders.many(COMMENTS, (self.row["site"], self.row["issue_id"]))
        return [Comment.of(row) for row in rows]

    @strawberry.field(description="Its worklogs, oldest first.")
    async def worklogs(self, info: Info) -> list[Worklog]:
        rows = await info.context.loaders.many(WORKLOGS, (self.row["site"], self.row["issue_id"]))
        return [Worklog.of(row) for row in rows]


@strawberry.type(description="One issue of a page, with its cursor.")
class IssueEdge:
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this issue.")
    node: Issue = strawberry.field(description="The issue.")


@strawberry.type(description="Where a page ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether this page began after a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first issue.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last issue: the next page's `after`.")


@strawberry.type(description="A page of issues, the last changed first.")
class IssueConnection:
    edges: list[IssueEdge] = strawberry.field(description="The issues with their cursors.")
    nodes: list[Issue] = strawberry.field(description="The issues.")
    page_info: PageInfo = strawberry.field(description="Where the page ends.")
