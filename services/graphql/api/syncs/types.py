"""How the syncs stand, as the API shows it: made from rows of the read tables."""

import enum
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import strawberry
from strawberry.scalars import JSON

from libs.events import ProjectKey
from services.graphql.api.context import Info
from services.graphql.api.project_names import key_of, uid
from services.graphql.api.syncs.backoff import Backoff, Stretch, next_run_of
from services.graphql.api.syncs.completeness import Census, Completeness, Entity, census_of, completeness_of
from services.graphql.api.syncs.failure import SyncError
from services.graphql.api.syncs.queries import SyncQueries
from services.graphql.execution.errors import coded
from services.graphql.ingestor import TemporalUnavailableError
from services.graphql.reading.from_row import EMPTY_IS_NULL, FromRow, column, from_row, moment_or_none
from services.graphql.reading.pages import MAX_LIST, MAX_UPCOMING, encode, how_many, position_in, within
from services.graphql.reading.reader import Row
from services.graphql.tracing import trace_id_of

Timezone = Annotated[
    str | None, strawberry.argument(description="An IANA name such as Europe/Berlin; left out: as it is, or UTC.")
]


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
    def of(cls, row: Row) -> Self:
        return from_row(cls, row, status=SyncStatus(row["status"]).value, error=SyncError.of_state(row))


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
    cron_schedule: str = strawberry.field(description="Five cron fields.", metadata=column("cron"))
    timezone: str = strawberry.field(description="The zone the schedule is read in.")
    status: SyncJobStatus = strawberry.field(description="ACTIVE, PAUSED or ERROR.")
    last_run_at: datetime | None = strawberry.field(description="When the last run began.")
    last_ended_at: datetime | None = strawberry.field(description="When the last run ended, however it did.")
    last_result: str | None = strawberry.field(description="SUCCESS, ERROR or CANCELLED.")
    next_run_at: datetime | None = strawberry.field(description="When the next run is due; null while paused.")
    backoff: Backoff | None = strawberry.field(
        description="How it is slowed down while its runs fail; null while it runs by its cron."
    )
    stretch: Stretch | None = strawberry.field(
        description="How webhooks stretch it; null while it runs by its cron. A backoff goes before it."
    )
    running: bool = strawberry.field(description="Whether a run is in progress.")
    current_run_id: str | None = strawberry.field(description="Id of the run in progress.")
    pages_done: int = strawberry.field(description="Pages stored by the current or last run.")
    pages_total: int | None = strawberry.field(description="Pages of that run, once known.")
    waiting_for: str | None = strawberry.field(
        description="What its run waits for, in words; null unless one waits, and once `waitingUntil` is over."
    )
    waiting_code: str | None = strawberry.field(description="The same as a code, such as RATE_LIMIT.")
    waiting_step: str | None = strawberry.field(
        description="The step that waits: prepare, page, look-ups or watch list."
    )
    waiting_until: datetime | None = strawberry.field(
        description="When that step tries again by itself; until then nothing is read."
    )
    paused_at: datetime | None = strawberry.field(description="When it was paused; null unless it is.")
    paused_by: str | None = strawberry.field(description="Who paused it.")
    pause_reason: str | None = strawberry.field(description="Why it was paused.")

    @strawberry.field(description="The next runs as Temporal has them, asked now; none while paused.")
    async def upcoming_runs(
        self,
        info: Info,
        count: Annotated[int, strawberry.argument(description=how_many(MAX_UPCOMING))] = 5,
    ) -> list[datetime]:
        within("count", count, MAX_UPCOMING)
        try:
            return await info.context.ingestor.upcoming_runs(self.row["schedule_id"], count)
        except TemporalUnavailableError as error:
            raise coded(error.code, str(error)) from error

    @strawberry.field(
        description="Whether all that Jira has of the project is here, by kind of entity: proved when, and why not."
    )
    async def completeness(self, info: Info, entity: Entity = None) -> list[Completeness]:
        return await completeness_of(info, key_of(self.row), entity)

    @strawberry.field(description="What the project's last census did.")
    async def census(self, info: Info) -> Census:
        return await census_of(info, key_of(self.row))

    @classmethod
    def of(cls, row: Row) -> Self:
        return from_row(
            cls,
            row,
            id=uid(key_of(row)),
            next_run_at=next_run_of(row),
            backoff=Backoff.of(row),
            stretch=Stretch.of(row),
            running=row["current_run_id"] is not None,
            **_wait_of(row, datetime.now(UTC)),
        )


def _wait_of(row: Row, now: datetime) -> dict[str, Any]:
    """What a run of `sync_job` waits for; nothing once the moment has come: it is at work again, or has died."""
    until = moment_or_none(row["waiting_until"])
    if until is None or until <= now:
        return dict.fromkeys(("waiting_for", "waiting_code", "waiting_step", "waiting_until"))
    return {
        "waiting_for": row["waiting_message"],
        "waiting_code": row["waiting_code"],
        "waiting_step": row["waiting_step"],
        "waiting_until": until,
    }


@strawberry.enum(description="How a run ended, if it has.")
class SyncRunResult(enum.Enum):
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"


@strawberry.type(description="One run of a project's sync.")
class SyncRun:
    id: strawberry.ID = strawberry.field(description="The run's id in Temporal.", metadata=column("run_id"))
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
    quarantined: int = strawberry.field(
        description="Records of the project that were set aside when it ended well: see `quarantine` of the API."
    )
    quarantine: list[str] = strawberry.field(
        description="The first of those that people should know of, each with its reason."
    )
    late: int = strawberry.field(
        description="Changes that Jira's search showed later than it should have: the run before had looked already."
    )
    latest_seconds: float | None = strawberry.field(description="How late the latest of them was.")
    overlap_seconds: float | None = strawberry.field(
        description="How far the next runs look back, by what was measured on the site: so late changes are not missed."
    )
    error: SyncError | None = strawberry.field(description="Why it failed; null unless it did.")
    note: str | None = strawberry.field(description="Why it was cancelled; null unless it was.")
    details: JSON | None = strawberry.field(description="Evidence of the failure.", metadata=column("error_details"))
    attempts: int | None = strawberry.field(description="How often the failing step was tried.")

    @classmethod
    def of(cls, row: Row) -> Self:
        note = row["error_message"] if row["result"] == "CANCELLED" else None
        return from_row(cls, row, error=SyncError.of_run(row), note=note)


@strawberry.enum(description="What was decided about a project: by people, or by the integrator about its pace.")
class ProjectChangeKind(enum.Enum):
    REGISTERED = "REGISTERED"
    UNREGISTERED = "UNREGISTERED"
    WATCH_LIST = "WATCH_LIST"
    SCHEDULE = "SCHEDULE"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    SYNC_REQUESTED = "SYNC_REQUESTED"
    CENSUS_REQUESTED = strawberry.enum_value(
        "CENSUS_REQUESTED", description="A census was asked for, or what one had held back was accepted."
    )
    BACKOFF = strawberry.enum_value("BACKOFF", description="Slowed down, as its runs fail.")
    STRETCHED = strawberry.enum_value("STRETCHED", description="Runs seldom while webhooks are alive.")
    STRETCH_ENDED = strawberry.enum_value("STRETCH_ENDED", description="Runs by its cron again: webhooks are not.")
    BACKOFF_ENDED = strawberry.enum_value("BACKOFF_ENDED", description="Runs by its cron again.")
    ALERT_ACKNOWLEDGED = "ALERT_ACKNOWLEDGED"
    ALERT_RESOLVED = strawberry.enum_value("ALERT_RESOLVED", description="Resolved by hand.")
    ALERTS_SILENCED = "ALERTS_SILENCED"
    ALERTS_UNSILENCED = "ALERTS_UNSILENCED"


@strawberry.type(description="An entry of a project's settings history.")
class ProjectChange(FromRow):
    id: strawberry.ID = strawberry.field(
        description="Position of its event in the log; grows with time.", metadata=column("position")
    )
    kind: ProjectChangeKind = strawberry.field(description="What was decided.")
    actor: str = strawberry.field(description="Who decided it.")
    reason: str | None = strawberry.field(description="Why, as they said.", metadata=EMPTY_IS_NULL)
    summary: str = strawberry.field(description="What was decided, in words.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Something that was stored and is not shown any more.")
class Absence:
    id: strawberry.ID = strawberry.field(description="Jira's id of it.", metadata=column("entity_id"))
    entity: str = strawberry.field(description="issue, comment or worklog.", metadata=column("kind"))
    reason: str = strawberry.field(
        description="DELETED; MOVED, to a project that is not registered; HIDDEN: our account may not see it any more,"
        " by a permission or a security level; POLICY: the site's data policy keeps programs out; UNTRACKED: nobody on"
        " the watch list has a part in it."
    )
    doubtful: bool = strawberry.field(
        description="Whether nothing tells if it was deleted or is hidden: the reason is the likelier of the two. A"
        " later census says which, where it can."
    )
    at: datetime = strawberry.field(description="When that was found.", metadata=column("gone_at"))
    key: str | None = strawberry.field(
        description="Of an issue that has moved: its key where it is now, where that is known."
    )
    former_key: str | None = strawberry.field(
        description="Of an issue: the key under which it was shown; null where that is not known."
    )
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this entry.")

    @classmethod
    def of(cls, row: Row) -> Self:
        cursor = encode((row["gone_at"], row["kind"], row["entity_id"]))
        return from_row(cls, row, cursor=cursor, former_key=row["former_key"] or row["last_key"])


@strawberry.enum(description="How much a log entry matters.")
class SyncLogLevel(enum.Enum):
    INFO = "INFO"
    ERROR = "ERROR"
    DEBUG = "DEBUG"


@strawberry.type(description="What happened during a sync.")
class SyncLog:
    id: strawberry.ID = strawberry.field(
        description="Position of its event in the log; grows with time.", metadata=column("position")
    )
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
    def of(cls, row: Row) -> Self:
        # The contract knows three levels, the log four: a warning has a field of its own.
        warning = row["level"] == "WARNING"
        level = SyncLogLevel.INFO if warning else SyncLogLevel(row["level"])
        return from_row(cls, row, level=level, warning=warning, trace_id=trace_id_of(row["trace"]))


@strawberry.type(description="A field of Jira's answers that appeared, vanished or changed its type.")
class SchemaDrift(FromRow):
    id: strawberry.ID = strawberry.field(
        description="Position of its event in the log; grows with time.", metadata=column("position")
    )
    change: str = strawberry.field(description="What became of the field, such as appeared, vanished or type.")
    field_id: str = strawberry.field(
        description="Jira's id of the field, such as customfield_10016; or, beginning with $, its place in an answer."
    )
    field_name: str | None = strawberry.field(description="Its name in Jira, where known.", metadata=EMPTY_IS_NULL)
    before: str | None = strawberry.field(description="Its type before; null when it was not there.")
    after: str | None = strawberry.field(description="Its type now; null when it is not there any more.")
    at: datetime = strawberry.field(description="When a run found that.")


async def runs_of(info: Info, project: ProjectKey, limit: int) -> list[SyncRun]:
    """The last runs of a project, newest first."""
    rows = await info.context.queries(SyncQueries).sync_runs(project, within("limit", limit, MAX_LIST))
    return [SyncRun.of(row) for row in rows]


async def changes_of(info: Info, project: ProjectKey, limit: int, before: str | None) -> list[ProjectChange]:
    """What was decided about a project, newest first."""
    position, count = position_in(before, "before"), within("limit", limit, MAX_LIST)
    rows = await info.context.queries(SyncQueries).project_changes(project, count, position)
    return [ProjectChange.of(row) for row in rows]
