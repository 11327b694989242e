"""How syncs look in the API: what a project's schedule is, how its last sync went, what the log says."""

import enum
from typing import Final

import msgspec
import strawberry
from strawberry.scalars import JSON

from services.graphql.context import Info
from services.graphql.next_run import next_run
from services.graphql.reader import Row
from services.graphql.times import DateTime


@strawberry.enum(description="How the sync of one entity stands.")
class SyncStatus(enum.Enum):
    IDLE = strawberry.enum_value("IDLE", description="Never synced yet.")
    RUNNING = strawberry.enum_value("RUNNING", description="A sync is running.")
    SUCCESS = strawberry.enum_value("SUCCESS", description="The last sync succeeded.")
    FAILED = strawberry.enum_value("FAILED", description="The last sync failed; `error` says why.")


@strawberry.enum(description="Whether a project's schedule fires.")
class SyncJobStatus(enum.Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="It fires.")
    PAUSED = strawberry.enum_value("PAUSED", description="Somebody paused it.")
    ERROR = strawberry.enum_value("ERROR", description="It fires, but the last sync failed.")


@strawberry.enum(description="How much a line of the sync log matters.")
class SyncLogLevel(enum.Enum):
    INFO = strawberry.enum_value("INFO", description="What happened.")
    ERROR = strawberry.enum_value("ERROR", description="What failed, and what to do about it.")
    DEBUG = strawberry.enum_value("DEBUG", description="Progress in detail.")


@strawberry.type(description="Why the last sync failed.")
class SyncError:
    code: str = strawberry.field(description="The class of the failure, e.g. AUTH_EXPIRED.")
    message: str = strawberry.field(description="What happened.")
    advice: str | None = strawberry.field(description="What to do about it.")
    run_id: str | None = strawberry.field(description="The run that failed.")


@strawberry.type(description="How far one kind of a project's data is synced.")
class SyncState:
    entity: str = strawberry.field(description="issue, comment, worklog, sprint or user.")
    last_sync_time: DateTime = strawberry.field(
        description="When the last successful sync ended; 1970-01-01T00:00:00.000Z before the first one."
    )
    status: str = strawberry.field(description="IDLE, RUNNING, SUCCESS or FAILED: a value of SyncStatus.")
    watermark: DateTime | None = strawberry.field(description="Every change before this time is stored.")
    rows: int = strawberry.field(description="Rows that the last successful sync saw.")
    run_id: str | None = strawberry.field(description="The run that this state comes from.")
    error_code: strawberry.Private[str | None]
    error_message: strawberry.Private[str | None]
    error_advice: strawberry.Private[str | None]

    @strawberry.field(description="The same as `status`, typed.")
    def state(self) -> SyncStatus:
        return SyncStatus(self.status)

    @strawberry.field(description="Why the last sync failed; null when it did not.")
    def error(self) -> SyncError | None:
        if self.error_code is None:
            return None
        return SyncError(
            code=self.error_code, message=self.error_message or "", advice=self.error_advice, run_id=self.run_id
        )


@strawberry.type(description="The schedule by which a project is synced, and its current or last run.")
class SyncJob:
    site: strawberry.Private[str]
    project_key: str = strawberry.field(description="Key of the project.")
    schedule_id: str = strawberry.field(description="Id of the schedule in Temporal.")
    workflow_id: str = strawberry.field(
        description="Id of the sync workflow in Temporal; each tick adds its time to it."
    )
    cron_schedule: str = strawberry.field(description="The five cron fields.")
    timezone: str = strawberry.field(description="The IANA time zone in which the cron fields count.")
    status: SyncJobStatus = strawberry.field(description="Whether the schedule fires.")
    last_run_at: DateTime | None = strawberry.field(description="When the last run started; null before the first.")
    last_result: str | None = strawberry.field(description="How it ended: SUCCESS, ERROR or CANCELLED.")
    current_run_id: str | None = strawberry.field(description="The run in progress; null when none is.")
    pages_done: int = strawberry.field(description="Pages stored by the current or last run.")
    pages_total: int | None = strawberry.field(description="Pages it has in all, where that is known beforehand.")

    @strawberry.field(description="<site>:<project key>")
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"{self.site}:{self.project_key}")

    @strawberry.field(
        description="When the schedule fires next; null while it is paused. The run begins within the jitter after it."
    )
    def next_run_at(self, info: Info) -> DateTime | None:
        if self.status is SyncJobStatus.PAUSED:
            return None
        return next_run(self.cron_schedule, self.timezone, info.context.now())


@strawberry.type(description="One line of a project's sync log.")
class SyncLog:
    id: strawberry.ID = strawberry.field(description="Position of the event in the log; later lines have higher ids.")
    level: SyncLogLevel = strawberry.field(description="How much it matters.")
    warning: bool = strawberry.field(
        description="Whether somebody should look at it although nothing failed; its level is INFO then."
    )
    message: str = strawberry.field(description="What happened, for people.")
    details: JSON | None = strawberry.field(description="More about it, for programs.")
    entity: str | None = strawberry.field(description="The kind of data it is about, if one.")
    run_id: str | None = strawberry.field(description="The run it belongs to, if one.")
    created_at: DateTime = strawberry.field(description="When it happened.")


@strawberry.type(description="A registered project.")
class Project:
    key: str = strawberry.field(description="The key it was registered by.")
    project_id: strawberry.Private[str | None]
    name: str = strawberry.field(description="Its name; the key until its first sync.")
    registered_at: DateTime | None = strawberry.field(description="When it was registered.")

    @strawberry.field(description="Jira's numeric id; the key until its first sync.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(self.project_id or self.key)

    @strawberry.field(description="How many issues are stored.")
    async def issue_count(self, info: Info) -> int:
        row = await info.context.loaders.issue_count.load(self.key)
        return 0 if row is None else int(row["issues"])

    @strawberry.field(description="Its schedule and current or last run.")
    async def sync_job(self, info: Info) -> SyncJob | None:
        return await job_of_project(info, self.key)

    @strawberry.field(description="How far each kind of its data is synced.")
    async def sync_states(self, info: Info) -> list[SyncState]:
        return await states_of_project(info, self.key)


async def states_of_project(info: Info, key: str) -> list[SyncState]:
    return [SyncState(**row) for row in await info.context.loaders.sync_states.load(key)]


async def job_of_project(info: Info, key: str) -> SyncJob | None:
    row = await info.context.loaders.sync_job.load(key)
    return None if row is None else job_of(row)


def job_of(row: Row) -> SyncJob:
    return SyncJob(**{**row, "status": SyncJobStatus(row["status"])})


_LEVELS: Final = {level.value: level for level in SyncLogLevel}


def log_of(row: Row) -> SyncLog:
    """A row's line. The table knows warnings as a level of their own, the schema's three levels do not."""
    details = row["details"]
    return SyncLog(
        **{
            **row,
            "id": strawberry.ID(str(row["id"])),
            "level": _LEVELS.get(row["level"], SyncLogLevel.INFO),
            "warning": row["level"] == "WARNING",
            "details": None if details is None else msgspec.json.decode(details),
        }
    )
