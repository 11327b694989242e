"""The types of the API, made from rows of the read tables."""

import enum
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import strawberry
from croniter import croniter
from strawberry.scalars import JSON

from services.graphql.context import Info
from services.graphql.queries import Row

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


@strawberry.enum(description="How the last sync of an entity went.")
class SyncStatus(enum.Enum):
    IDLE = "IDLE"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@strawberry.type(description="Why the last sync failed, and what to do.")
class SyncError:
    code: str = strawberry.field(description="The classified cause, such as AUTH_EXPIRED.")
    message: str = strawberry.field(description="What happened.")
    advice: str = strawberry.field(description="What to do about it.")


@strawberry.type(description="How fresh one kind of entity of a project is.")
class SyncState:
    entity: str = strawberry.field(description="issue, comment, worklog, sprint or user.")
    last_sync_time: datetime = strawberry.field(description="When the last successful sync ended; 1970 means never.")
    status: str = strawberry.field(description="A value of SyncStatus.")
    watermark: datetime | None = strawberry.field(description="Every change before this moment is stored.")
    rows: int = strawberry.field(description="Rows that the last successful run saw.")
    error: SyncError | None = strawberry.field(description="Why it failed; null unless it did.")

    @classmethod
    def of(cls, row: Row) -> "SyncState":
        code = row["error_code"]
        return cls(
            entity=row["entity"],
            last_sync_time=moment(row["last_sync_time"]),
            status=SyncStatus(row["status"]).value,
            watermark=moment_or_none(row["watermark"]),
            rows=row["rows"],
            error=None
            if code is None
            else SyncError(code=code, message=row["error_message"] or "", advice=row["error_advice"] or ""),
        )


@strawberry.enum(description="Whether a sync job runs on its schedule.")
class SyncJobStatus(enum.Enum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ERROR = "ERROR"


@strawberry.type(description="The scheduled sync of one project.")
class SyncJob:
    id: strawberry.ID = strawberry.field(description="<site>:<project key>.")
    project_key: str = strawberry.field(description="Key of the project.")
    workflow_id: str = strawberry.field(description="Id of the workflow in Temporal.")
    schedule_id: str = strawberry.field(description="Id of the schedule in Temporal.")
    cron_schedule: str = strawberry.field(description="Five cron fields.")
    timezone: str = strawberry.field(description="The zone the schedule is read in.")
    status: SyncJobStatus = strawberry.field(description="ACTIVE, PAUSED or ERROR.")
    last_run_at: datetime | None = strawberry.field(description="When the last run began.")
    last_result: str | None = strawberry.field(description="SUCCESS, ERROR or CANCELLED.")
    next_run_at: datetime | None = strawberry.field(description="When the next run is due; null while paused.")
    pages_done: int = strawberry.field(description="Pages stored by the current or last run.")
    pages_total: int | None = strawberry.field(description="Pages of that run, once known.")

    @classmethod
    def of(cls, row: Row) -> "SyncJob":
        status = SyncJobStatus(row["status"])
        return cls(
            id=strawberry.ID(f"{row['site']}:{row['project_key']}"),
            project_key=row["project_key"],
            workflow_id=row["workflow_id"],
            schedule_id=row["schedule_id"],
            cron_schedule=row["cron"],
            timezone=row["timezone"],
            status=status,
            last_run_at=moment_or_none(row["last_run_at"]),
            last_result=row["last_result"],
            next_run_at=None if status is SyncJobStatus.PAUSED else next_run(row["cron"], row["timezone"]),
            pages_done=row["pages_done"],
            pages_total=row["pages_total"],
        )


def next_run(cron: str, timezone: str, now: datetime | None = None) -> datetime | None:
    """The next time a cron expression fires, in UTC; None for one that cannot be read: the rest of a job can."""
    try:
        zone = ZoneInfo(timezone)
        # Temporal wants both the day of the month and the day of the week to match, other crons either.
        ticks = croniter(cron, (now or datetime.now(UTC)).astimezone(zone), day_or=False, max_years_between_matches=5)
        due = ticks.get_next(datetime)
    except (ValueError, KeyError):
        return None
    return due.astimezone(UTC)


@strawberry.enum(description="How much a log entry matters.")
class SyncLogLevel(enum.Enum):
    INFO = "INFO"
    ERROR = "ERROR"
    DEBUG = "DEBUG"


@strawberry.type(description="What happened during a sync.")
class SyncLog:
    id: strawberry.ID = strawberry.field(description="Position of its event in the log; grows with time.")
    level: SyncLogLevel = strawberry.field(description="INFO, ERROR or DEBUG.")
    warning: bool = strawberry.field(description="Whether an INFO entry tells of something that wants attention.")
    message: str = strawberry.field(description="What happened, in words.")
    details: JSON | None = strawberry.field(description="Structured details; of an error: code, advice, evidence.")
    entity: str | None = strawberry.field(description="The kind of entity it is about, if one.")
    run_id: str | None = strawberry.field(description="The run it belongs to.")
    created_at: datetime = strawberry.field(description="When it happened.")

    @classmethod
    def of(cls, row: Row) -> "SyncLog":
        return cls(
            id=strawberry.ID(str(row["position"])),
            # The contract knows three levels, the log four: a warning is told by a field of its own.
            level=SyncLogLevel.INFO if row["level"] == "WARNING" else SyncLogLevel(row["level"]),
            warning=row["level"] == "WARNING",
            message=row["message"],
            details=None if row["details"] is None else msgspec.json.decode(row["details"]),
            entity=row["entity"],
            run_id=row["run_id"],
            created_at=moment(row["created_at"]),
        )


@strawberry.type(description="A registered Jira project.")
class Project:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id; the key until the project was first read.")
    key: str = strawberry.field(description="The key it was registered by.")
    name: str = strawberry.field(description="Its name.")
    site: str = strawberry.field(description="Short name of its Jira site.")

    @strawberry.field(description="Its scheduled sync.")
    async def sync_job(self, info: Info) -> SyncJob | None:
        row = await info.context.loaders.sync_jobs.load((self.row["site"], self.row["key"]))
        return None if row is None else SyncJob.of(row)

    @strawberry.field(description="How fresh each kind of its entities is.")
    async def sync_states(self, info: Info) -> list[SyncState]:
        rows = await info.context.loaders.sync_states.load((self.row["site"], self.row["key"]))
        return [SyncState.of(row) for row in rows]

    @classmethod
    def of(cls, row: Row) -> "Project":
        return cls(
            row=row,
            id=strawberry.ID(row["project_id"] or row["key"]),
            key=row["key"],
            name=row["name"],
            site=row["site"],
        )
