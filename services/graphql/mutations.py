"""What callers may ask for. The answer says what was done, or why not, as data."""

import asyncio

import strawberry

from libs.temporal.commands import CommandFailedError, UnknownProjectError
from services.graphql.context import Info
from services.graphql.scheduler import NoAnswerError, SchedulerUnavailableError
from services.graphql.types import SyncJob


@strawberry.type(description="Why a mutation did nothing.")
class UserError:
    code: str = strawberry.field(description="UNKNOWN_PROJECT, SCHEDULER_UNAVAILABLE, NO_ANSWER or REFUSED.")
    message: str = strawberry.field(description="What is wrong, and what to do about it.")
    field: str | None = strawberry.field(description="The argument it is about.")


@strawberry.type(description="What came of a request to sync.")
class TriggerProjectSyncPayload:
    sync_job: SyncJob | None = strawberry.field(description="The job that will run.")
    request_id: str | None = strawberry.field(description="Id of the request; the run that serves it names it.")
    user_errors: list[UserError] = strawberry.field(description="Empty when the request was taken.")


@strawberry.type(description="Changes. Each is carried out by the ingestor and becomes an event.")
class Mutation:
    @strawberry.mutation(
        description="Sync a project now, or right after the run in progress."
        " `full` reads every issue again; `accountIds` limits the run to issues of these people."
    )
    async def trigger_project_sync(
        self,
        info: Info,
        project_id: strawberry.ID,
        full: bool | None = None,
        account_ids: list[str] | None = None,
    ) -> TriggerProjectSyncPayload:
        row = await asyncio.to_thread(info.context.queries.project_by_id_or_key, project_id)
        if row is None:
            return _refused(
                "UNKNOWN_PROJECT",
                f"No project {project_id!r} is registered; `projects` lists those that are, `jdi register` adds one.",
                "projectId",
            )
        try:
            request = await info.context.scheduler.request_sync(
                row["site"], row["key"], full=bool(full), account_ids=account_ids or ()
            )
        except UnknownProjectError as error:
            return _refused("UNKNOWN_PROJECT", str(error), "projectId")
        except SchedulerUnavailableError as error:
            return _refused("SCHEDULER_UNAVAILABLE", str(error), None)
        except NoAnswerError as error:
            return _refused("NO_ANSWER", str(error), None, error.request_id)
        except CommandFailedError as error:
            return _refused("REFUSED", str(error), None)
        job = await info.context.loaders.sync_jobs.load((row["site"], row["key"]))
        return TriggerProjectSyncPayload(
            sync_job=None if job is None else SyncJob.of(job), request_id=request, user_errors=[]
        )


def _refused(code: str, message: str, field: str | None, request_id: str | None = None) -> TriggerProjectSyncPayload:
    error = UserError(code=code, message=message, field=field)
    return TriggerProjectSyncPayload(sync_job=None, request_id=request_id, user_errors=[error])
