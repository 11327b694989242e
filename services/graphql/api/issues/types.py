"""What Jira holds, as the API shows it: made from rows of the read tables."""

from datetime import datetime

import strawberry

from services.graphql.api.context import Info
from services.graphql.reading.reader import Row

UNKNOWN_USER = "unknown"


def moment(text: str) -> datetime:
    """A time of the read tables."""
    return datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


@strawberry.type(description="A Jira user. People who left Jira are still here, by the name Jira shows for them.")
class User:
    id: strawberry.ID = strawberry.field(description="Atlassian account id.")
    display_name: str = strawberry.field(description="The name the user shows; not unique.")
    active: bool = strawberry.field(description="Whether the account is active.")
    account_type: str = strawberry.field(description="atlassian, app, customer or unknown.")
    avatar_url: str | None = strawberry.field(description="Address of the picture.")

    @classmethod
    def of(cls, row: Row | None, account_id: str) -> "User":
        """The user of a row; a stand-in where Jira no longer names one."""
        if row is None:
            return cls(
                id=strawberry.ID(account_id),
                display_name="Former user",
                active=False,
                account_type="unknown",
                avatar_url=None,
            )
        return cls(
            id=strawberry.ID(row["account_id"]),
            display_name=row["display_name"],
            active=row["active"],
            account_type=row["account_type"],
            avatar_url=row["avatar_url"],
        )


async def load_user(info: Info, site: str, account_id: str) -> User:
    return User.of(await info.context.loaders.users.load((site, account_id)), account_id)


@strawberry.type(description="A sprint of a Jira board.")
class Sprint:
    id: strawberry.ID = strawberry.field(description="Jira's id.")
    name: str = strawberry.field(description="The sprint's name.")
    state: str = strawberry.field(description="future, active or closed.")
    goal: str | None = strawberry.field(description="What the team wants to reach.")
    start_date: datetime | None = strawberry.field(description="When it started or is planned to.")
    end_date: datetime | None = strawberry.field(description="When it is planned to end.")
    complete_date: datetime | None = strawberry.field(description="When it was closed.")

    @classmethod
    def of(cls, row: Row) -> "Sprint":
        return cls(
            id=strawberry.ID(row["sprint_id"]),
            name=row["name"],
            state=row["state"],
            goal=row["goal"],
            start_date=moment_or_none(row["start_date"]),
            end_date=moment_or_none(row["end_date"]),
            complete_date=moment_or_none(row["complete_date"]),
        )


@strawberry.type(description="A comment on an issue.")
class Comment:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id.")
    body: str = strawberry.field(description="The text, readable, made from Jira's document format.")
    created: datetime = strawberry.field(description="When it was written.")
    updated: datetime | None = strawberry.field(description="When it was last changed.")

    @strawberry.field(description="Who wrote it.")
    async def author(self, info: Info) -> User:
        return await load_user(info, self.row["site"], self.row["author_id"] or UNKNOWN_USER)

    @classmethod
    def of(cls, row: Row) -> "Comment":
        return cls(
            row=row,
            id=strawberry.ID(row["comment_id"]),
            body=row["body"],
            created=moment(row["created"]),
            updated=moment_or_none(row["updated"]),
        )


@strawberry.type(description="Time logged on an issue.")
class Worklog:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id.")
    time_spent: int | None = strawberry.field(description="Seconds.")
    comment: str | None = strawberry.field(description="The note left with it, as readable text.")
    started: datetime = strawberry.field(description="When the work began.")
    updated: datetime = strawberry.field(description="When the entry was last changed.")

    @strawberry.field(description="Who did the work.")
    async def author(self, info: Info) -> User:
        return await load_user(info, self.row["site"], self.row["author_id"] or UNKNOWN_USER)

    @classmethod
    def of(cls, row: Row) -> "Worklog":
        return cls(
            row=row,
            id=strawberry.ID(row["worklog_id"]),
            time_spent=row["time_spent_seconds"],
            comment=row["comment"],
            started=moment(row["started"] or row["created"]),
            updated=moment(row["updated"]),
        )


@strawberry.type(description="An issue, as Jira last showed it.")
class Issue:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id; it stays when the issue moves.")
    key: str = strawberry.field(description="The current key, such as DEMO-7.")
    project_key: str = strawberry.field(description="Key of the registered project.")
    summary: str = strawberry.field(description="The title.")
    description: str | None = strawberry.field(description="The description as readable text.")
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
        row = await info.context.loaders.sprints.load((self.row["site"], self.row["sprint_id"]))
        return None if row is None else Sprint.of(row)

    @strawberry.field(description="Its comments, oldest first.")
    async def comments(self, info: Info) -> list[Comment]:
        return [
            Comment.of(row)
            for row in await info.context.loaders.comments.load((self.row["site"], self.row["issue_id"]))
        ]

    @strawberry.field(description="Its worklogs, oldest first.")
    async def worklogs(self, info: Info) -> list[Worklog]:
        return [
            Worklog.of(row)
            for row in await info.context.loaders.worklogs.load((self.row["site"], self.row["issue_id"]))
        ]

    @classmethod
    def of(cls, row: Row) -> "Issue":
        return cls(
            row=row,
            id=strawberry.ID(row["issue_id"]),
            key=row["key"],
            project_key=row["project_key"],
            summary=row["summary"],
            description=row["description"],
            status=row["status"],
            status_category=row["status_category"],
            priority=row["priority"],
            issue_type=row["issue_type"],
            created=moment(row["created"]),
            updated=moment(row["updated"]),
        )


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
