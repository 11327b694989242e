"""A project, as the API shows it, and the lists that hang on it."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from libs.events import ProjectKey
from services.graphql.api.alerts.queries import ALERTS, SILENCES
from services.graphql.api.alerts.types import Alert, Silence
from services.graphql.api.context import Info
from services.graphql.api.issues.types import User
from services.graphql.api.payloads import UserError
from services.graphql.api.project_names import uid
from services.graphql.api.quarantine.queries import COUNTS
from services.graphql.api.syncs.completeness import Census, Completeness, Entity, census_of, completeness_of
from services.graphql.api.syncs.queries import JOB, STATES, SyncQueries
from services.graphql.api.syncs.types import ProjectChange, SyncJob, SyncRun, SyncState, changes_of, runs_of
from services.graphql.reading.from_row import from_row
from services.graphql.reading.pages import MAX_LIST, how_many
from services.graphql.reading.reader import Row


@strawberry.type(description="A registered Jira project.")
class Project:
    named: strawberry.Private[ProjectKey]
    id: strawberry.ID = strawberry.field(description="Jira's id; the key until the project was first read.")
    uid: strawberry.ID = strawberry.field(
        description="<site>:<project key>: never changes; every projectId argument takes it."
    )
    key: str = strawberry.field(description="The key it was registered by.")
    jira_key: str = strawberry.field(description="Its key in Jira now: another one than `key` after a rename there.")
    name: str = strawberry.field(description="Its name.")
    site: str = strawberry.field(description="Short name of its Jira site.")
    registered_at: datetime | None = strawberry.field(description="When it was registered.")

    @strawberry.field(description="Its scheduled sync.")
    async def sync_job(self, info: Info) -> SyncJob | None:
        row = await info.context.loaders.one(JOB, self.named)
        return None if row is None else SyncJob.of(row)

    @strawberry.field(description="How fresh each kind of its entities is.")
    async def sync_states(self, info: Info) -> list[SyncState]:
        rows = await info.context.loaders.many(STATES, self.named)
        return [SyncState.of(row) for row in rows]

    @strawberry.field(description="Whether all that Jira has of it is here, by kind of entity: proved when, why not.")
    async def completeness(self, info: Info, entity: Entity = None) -> list[Completeness]:
        return await completeness_of(info, self.named, entity)

    @strawberry.field(description="What its last census did.")
    async def census(self, info: Info) -> Census:
        return await census_of(info, self.named)

    @strawberry.field(description="How many of its records could not be read and are set aside: see `quarantine`.")
    async def quarantined(self, info: Info) -> int:
        row = await info.context.loaders.one(COUNTS, self.named)
        return 0 if row is None else int(row["records"])

    @strawberry.field(description="Its watch list, by name; empty when everybody is tracked.")
    async def tracked_users(self, info: Info) -> list[User]:
        rows = await info.context.queries(SyncQueries).tracked_users(self.named)
        return [User.tracked(row) for row in rows]

    @strawberry.field(description="Its last runs, newest first.")
    async def sync_runs(
        self, info: Info, limit: Annotated[int, strawberry.argument(description=how_many(MAX_LIST))] = 50
    ) -> list[SyncRun]:
        return await runs_of(info, self.named, limit)

    @strawberry.field(description="What was decided about it, newest first.")
    async def changes(
        self,
        info: Info,
        limit: Annotated[int, strawberry.argument(description=how_many(MAX_LIST))] = 50,
        before: Annotated[
            strawberry.ID | None, strawberry.argument(description="Id of an entry: what is older follows.")
        ] = None,
    ) -> list[ProjectChange]:
        return await changes_of(info, self.named, limit, before)

    @strawberry.field(description="Its alerts that are not over, the last raised first.")
    async def alerts(self, info: Info) -> list[Alert]:
        rows = await info.context.loaders.many(ALERTS, self.named)
        return [Alert.of(row) for row in rows]

    @strawberry.field(description="Of which of its alerts nobody is told now.")
    async def silences(self, info: Info) -> list[Silence]:
        rows = await info.context.loaders.many(SILENCES, self.named)
        return [Silence.of(row) for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        named = ProjectKey(row["site"], row["key"])
        return from_row(
            cls,
            row,
            named=named,
            id=strawberry.ID(row["project_id"] or row["key"]),
            uid=uid(named),
            jira_key=row["jira_key"] or row["key"],
        )


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
    registered_as: str | None = strawberry.field(
        description="The key that it is registered by; another one than `key` after a rename in Jira."
    )


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
