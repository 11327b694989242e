"""How the syncs stand, as the API shows it: made from rows of the read tables."""

import enum
from datetime import datetime
from typing import Annotated

import msgspec
import strawberry
from strawberry.scalars import JSON

from services.graphql.api.context import Info
from services.graphql.api.ingestor import SchedulerUnavailableError
from services.graphql.api.issues.types import moment, moment_or_none
from services.graphql.api.syncs.backoff import Backoff, next_run_of
from services.graphql.api.syncs.failure import SyncError
from services.graphql.execution.errors import coded
from services.graphql.reading.arguments import within
from services.graphql.reading.cursors import encode
from services.graphql.reading.reader import Row
from services.graphql.tracing import trace_id_of

MAX_UPCOMING = 10
"""Temporal tells no more."""


def uid(site: str, key: str) -> str:
    """The name of a project that never changes; every `projectId` argument takes it."""
    return f"{site}:{key}"


@strawberry.enum(description="How the last sync of an entity went.")
class SyncStatus(enum.Enum):
    IDLE = "IDLE"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


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
        return cls(
            entity=row["entity"],
            last_sync_time=moment(row["last_sync_time"]),
            status=SyncStatus(row["status"]).value,
            watermark=moment_or_none(row["watermark"]),
            rows=row["rows"],
            error=SyncError.of_state(row),
        )


@strawberry.enum(description="Whether a sync job runs on its schedule.")
class SyncJobStatus(enum.Enum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ERROR = "ERROR"


@strawberry.type(description="The scheduled sync of one project.")
class SyncJob:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="<site>:<project key>.")
    project_key: str = strawberry.field(description="Key of the project.")
    workflow_id: str = strawberry.field(description="Id of the workflow in Temporal.")
    schedule_id: str = strawberry.field(description="Id of the schedule in Temporal.")
    cron_schedule: str = strawberry.field(description="Five cron fields.")
    timezone: str = strawberry.field(description="The zone the schedule is read in.")
    status: SyncJobStatus = strawberry.field(description="ACTIVE, PAUSED or ERROR.")
    last_run_at: datetime | None = strawberry.field(description="When the last run began.")
    last_ended_at: datetime | None = strawberry.field(description="When the last run ended, however it did.")
    last_result: str | None = strawberry.field(description="SUCCESS, ERROR or CANCELLED.")
    next_run_at: datetime | None = strawberry.field(description="When the next run is due; null while paused.")
    backoff: Backoff | None = strawberry.field(
        description="How it is slowed down while its runs fail; null while it runs by its cron."
    )
    running: bool = strawberry.field(description="Whether a run is in progress.")
    current_run_id: str | None = strawberry.field(description="Id of the run in progress.")
    pages_done: int = strawberry.field(description="Pages stored by the current or last run.")
    pages_total: int | None = strawberry.field(description="Pages of that run, once known.")
    paused_at: datetime | None = strawberry.field(description="When it was paused; null unless it is.")
    paused_by: str | None = strawberry.field(description="Who paused it.")
    pause_reason: str | None = strawberry.field(description="Why it was paused.")

    @strawberry.field(description="The next runs as Temporal has them, asked now; none while paused.")
    async def upcoming_runs(
        self,
        info: Info,
        count: Annotated[int, strawberry.argument(description="How many, 1 to 10.")] = 5,
    ) -> list[datetime]:
        within("count", count, MAX_UPCOMING)
        try:
            return await info.context.scheduler.upcoming_runs(self.row["schedule_id"], count)
        except SchedulerUnavailableError as error:
            raise coded(error.code, str(error)) from error

    @classmethod
    def of(cls, row: Row) -> "SyncJob":
        return cls(
            row=row,
            id=strawberry.ID(uid(row["site"], row["project_key"])),
            project_key=row["project_key"],
            workflow_id=row["workflow_id"],
            schedule_id=row["schedule_id"],
            cron_schedule=row["cron"],
            timezone=row["timezone"],
            status=SyncJobStatus(row["status"]),
            last_run_at=moment_or_none(row["last_run_at"]),
            last_ended_at=moment_or_none(row["last_ended_at"]),
            last_result=row["last_result"],
            next_run_at=next_run_of(row),
            backoff=Backoff.of(row),
            running=row["current_run_id"] is not None,
            current_run_id=row["current_run_id"],
            pages_done=row["pages_done"],
            pages_total=row["pages_total"],
            paused_at=moment_or_none(row["paused_at"]),
            paused_by=row["paused_by"],
            pause_reason=row["pause_reason"],
        )


@strawberry.enum(description="How a run ended, if it has.")
class SyncRunResult(enum.Enum):
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"


@strawberry.type(description="One run of a project's sync.")
class SyncRun:
    id: strawberry.ID = strawberry.field(description="The run's id in Temporal.")
    mode: str | None = strawberry.field(description="FULL or INCREMENTAL; null when it failed before it could decide.")
    reason: str = strawberry.field(description="Why it ran: the schedule, or who asked.")
    result: SyncRunResult = strawberry.field(description="RUNNING, SUCCESS, ERROR or CANCELLED.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")
    seconds: float | None = strawberry.field(description="How long it took.")
    pages_done: int = strawberry.field(description="Pages it stored.")
    pages_total: int | None = strawberry.field(description="Pages it had to store, where that is known beforehand.")
    issues: int = strawberry.field(description="Issues it read.")
    comments: int = strawberry.field(description="Comments it read.")
    worklogs: int = strawberry.field(description="Worklogs it read.")
    sprints: int = strawberry.field(description="Sprints it read.")
    users: int = strawberry.field(description="Users it read.")
    appended: int = strawberry.field(description="Changes that were new to the event log.")
    requests: int = strawberry.field(description="HTTP requests to Jira; known when it has ended.")
    warnings: list[str] = strawberry.field(description="What could not be read although the run went well.")
    error: SyncError | None = strawberry.field(description="Why it failed; null unless it did.")
    note: str | None = strawberry.field(description="Why it was cancelled; null unless it was.")
    details: JSON | None = strawberry.field(description="Evidence of the failure.")
    attempts: int | None = strawberry.field(description="How often the failing step was tried.")

    @classmethod
    def of(cls, row: Row) -> "SyncRun":
        return cls(
            id=strawberry.ID(row["run_id"]),
            mode=row["mode"],
            reason=row["reason"],
            result=SyncRunResult(row["result"]),
            started_at=moment_or_none(row["started_at"]),
            ended_at=moment_or_none(row["ended_at"]),
            seconds=row["seconds"],
            pages_done=row["pages_done"],
            pages_total=row["pages_total"],
            issues=row["issues"],
            comments=row["comments"],
            worklogs=row["worklogs"],
            sprints=row["sprints"],
            users=row["users"],
            appended=row["appended"],
            requests=row["requests"],
            warnings=msgspec.json.decode(row["warnings"], type=list[str]),
            error=SyncError.of_run(row),
            note=row["error_message"] if row["result"] == "CANCELLED" else None,
            details=None if row["error_details"] is None else msgspec.json.decode(row["error_details"]),
            attempts=row["attempts"],
        )


@strawberry.enum(description="What was decided about a project: by people, or by the integrator about its pace.")
class ProjectChangeKind(enum.Enum):
    REGISTERED = "REGISTERED"
    UNREGISTERED = "UNREGISTERED"
    WATCH_LIST = "WATCH_LIST"
    SCHEDULE = "SCHEDULE"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    SYNC_REQUESTED = "SYNC_REQUESTED"
    BACKOFF = strawberry.enum_value("BACKOFF", description="Slowed down, as its runs fail.")
    BACKOFF_ENDED = strawberry.enum_value("BACKOFF_ENDED", description="Runs by its cron again.")
    ALERT_ACKNOWLEDGED = "ALERT_ACKNOWLEDGED"
    ALERT_RESOLVED = strawberry.enum_value("ALERT_RESOLVED", description="Resolved by hand.")
    ALERTS_SILENCED = "ALERTS_SILENCED"
    ALERTS_UNSILENCED = "ALERTS_UNSILENCED"


@strawberry.type(description="An entry of a project's settings history.")
class ProjectChange:
    id: strawberry.ID = strawberry.field(description="Position of its event in the log; grows with time.")
    kind: ProjectChangeKind = strawberry.field(description="What was decided.")
    actor: str = strawberry.field(description="Who decided it.")
    reason: str | None = strawberry.field(description="Why, as they said.")
    summary: str = strawberry.field(description="What was decided, in words.")
    at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, row: Row) -> "ProjectChange":
        return cls(
            id=strawberry.ID(str(row["position"])),
            kind=ProjectChangeKind(row["kind"]),
            actor=row["actor"],
            reason=row["reason"] or None,
            summary=row["summary"],
            at=moment(row["at"]),
        )


@strawberry.type(description="Something that was stored and is not shown any more.")
class Absence:
    id: strawberry.ID = strawberry.field(description="Jira's id of it.")
    entity: str = strawberry.field(description="issue, comment or worklog.")
    reason: str = strawberry.field(
        description="DELETED, MOVED, HIDDEN, or UNTRACKED: nobody on the watch list has a part in it."
    )
    at: datetime = strawberry.field(description="When that was found.")
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this entry.")

    @classmethod
    def of(cls, row: Row) -> "Absence":
        return cls(
            id=strawberry.ID(row["entity_id"]),
            entity=row["kind"],
            reason=row["reason"],
            at=moment(row["gone_at"]),
            cursor=encode((row["gone_at"], row["kind"], row["entity_id"])),
        )


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
    trace_id: str | None = strawberry.field(
        description="Id of the trace in which it was recorded; null unless traces are on."
    )

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
            trace_id=trace_id_of(row["trace"]),
        )


@strawberry.type(description="A field of Jira's answers that appeared, vanished or changed its type.")
class SchemaDrift:
    id: strawberry.ID = strawberry.field(description="Position of its event in the log; grows with time.")
    change: str = strawberry.field(description="What became of the field, such as appeared, vanished or type.")
    field_id: str = strawberry.field(
        description="Jira's id of the field, such as customfield_10016; or, beginning with $, its place in an answer."
    )
    field_name: str | None = strawberry.field(description="Its name in Jira, where known.")
    before: str | None = strawberry.field(description="Its type before; null when it was not there.")
    after: str | None = strawberry.field(description="Its type now; null when it is not there any more.")
    at: datetime = strawberry.field(description="When a run found that.")

    @classmethod
    def of(cls, row: Row) -> "SchemaDrift":
        return cls(
            id=strawberry.ID(str(row["position"])),
            change=row["change"],
            field_id=row["field_id"],
            field_name=row["field_name"] or None,
            before=row["before"],
            after=row["after"],
            at=moment(row["at"]),
        )
