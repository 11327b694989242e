"""A project, as the API shows it, and the lists that hang on it."""

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry

from services.graphql.api.alerts.types import Alert, Silence
from services.graphql.api.context import Info
from services.graphql.api.issues.types import User, moment_or_none
from services.graphql.api.syncs.types import ProjectChange, SyncJob, SyncRun, SyncState, uid
from services.graphql.reading.arguments import position_in, within
from services.graphql.reading.reader import Row

MAX_LIST = 200


def tracked(row: Row) -> User:
    """A user of a watch list; one whom Jira has not shown yet goes by the account id."""
    if row["display_name"] is None:
        return User(
            id=strawberry.ID(row["account_id"]),
            display_name=row["account_id"],
            active=True,
            account_type="unknown",
            avatar_url=None,
        )
    return User.of(row, row["account_id"])


async def runs_of(info: Info, site: str, key: str, limit: int) -> list[SyncRun]:
    rows = await asyncio.to_thread(info.context.queries.sync_runs, site, key, within("limit", limit, MAX_LIST))
    return [SyncRun.of(row) for row in rows]


async def changes_of(info: Info, site: str, key: str, limit: int, before: str | None) -> list[ProjectChange]:
    queries, position = info.context.queries, position_in(before, "before")
    rows = await asyncio.to_thread(queries.project_changes, site, key, within("limit", limit, MAX_LIST), position)
    return [ProjectChange.of(row) for row in rows]


@strawberry.type(description="A registered Jira project.")
class Project:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Jira's id; the key until the project was first read.")
    uid: strawberry.ID = strawberry.field(
        description="<site>:<project key>: never changes; every projectId argument takes it."
    )
    key: str = strawberry.field(description="The key it was registered by.")
    name: str = strawberry.field(description="Its name.")
    site: str = strawberry.field(description="Short name of its Jira site.")
    registered_at: datetime | None = strawberry.field(description="When it was registered.")

    @strawberry.field(description="Its scheduled sync.")
    async def sync_job(self, info: Info) -> SyncJob | None:
        row = await info.context.loaders.sync_jobs.load((self.row["site"], self.row["key"]))
        return None if row is None else SyncJob.of(row)

    @strawberry.field(description="How fresh each kind of its entities is.")
    async def sync_states(self, info: Info) -> list[SyncState]:
        rows = await info.context.loaders.sync_states.load((self.row["site"], self.row["key"]))
        return [SyncState.of(row) for row in rows]

    @strawberry.field(description="Its watch list, by name; empty when everybody is tracked.")
    async def tracked_users(self, info: Info) -> list[User]:
        rows = await asyncio.to_thread(info.context.queries.tracked_users, self.row["site"], self.row["key"])
        return [tracked(row) for row in rows]

    @strawberry.field(description="Its last runs, newest first.")
    async def sync_runs(
        self, info: Info, limit: Annotated[int, strawberry.argument(description="How many, 1 to 200.")] = 50
    ) -> list[SyncRun]:
        return await runs_of(info, self.row["site"], self.row["key"], limit)

    @strawberry.field(description="What was decided about it, newest first.")
    async def changes(
        self,
        info: Info,
        limit: Annotated[int, strawberry.argument(description="How many, 1 to 200.")] = 50,
        before: Annotated[
            strawberry.ID | None, strawberry.argument(description="Id of an entry: what is older follows.")
        ] = None,
    ) -> list[ProjectChange]:
        return await changes_of(info, self.row["site"], self.row["key"], limit, before)

    @strawberry.field(description="Its alerts that are not over, the last raised first.")
    async def alerts(self, info: Info) -> list[Alert]:
        rows = await info.context.loaders.open_alerts.load((self.row["site"], self.row["key"]))
        return [Alert.of(row) for row in rows]

    @strawberry.field(description="Of which of its alerts nobody is told now.")
    async def silences(self, info: Info) -> list[Silence]:
        rows = await info.context.loaders.silences.load((self.row["site"], self.row["key"]))
        return [Silence.of(row) for row in rows]

    @classmethod
    def of(cls, row: Row) -> "Project":
        return cls(
            row=row,
            id=strawberry.ID(row["project_id"] or row["key"]),
            key=row["key"],
            name=row["name"],
            site=row["site"],
            uid=strawberry.ID(uid(row["site"], row["key"])),
            registered_at=moment_or_none(row["registered_at"]),
        )
