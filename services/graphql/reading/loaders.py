"""Nested lists without a query per row: what one level of a query asks for is read by one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from strawberry.dataloader import DataLoader

from services.graphql.reading.queries import Queries
from services.graphql.reading.reader import Row

Key = tuple[str, str]
"""(site, id)"""

CHUNK = 10_000
"""Keys of one statement, two variables each: SQLite takes 32,766 of them, PostgreSQL 65,535."""


class Loaders:
    """One request's loaders."""

    def __init__(self, queries: Queries) -> None:
        self.users: DataLoader[Key, Row | None] = DataLoader(_one(queries.users_by_account, "account_id"))
        self.sprints: DataLoader[Key, Row | None] = DataLoader(_one(queries.sprints_by_id, "sprint_id"))
        self.comments: DataLoader[Key, list[Row]] = DataLoader(_many(queries.comments_of_issues))
        self.worklogs: DataLoader[Key, list[Row]] = DataLoader(_many(queries.worklogs_of_issues))
        self.sync_jobs: DataLoader[Key, Row | None] = DataLoader(_one(queries.sync_jobs_of_projects, "project_key"))
        self.sync_states: DataLoader[Key, list[Row]] = DataLoader(_many(queries.sync_states_of_projects, "project_key"))
        self.open_alerts: DataLoader[Key, list[Row]] = DataLoader(_many(queries.open_alerts_of_projects, "project_key"))
        self.silences: DataLoader[Key, list[Row]] = DataLoader(_many(queries.silences_of_projects, "project_key"))
        self.notifications_of_alerts: DataLoader[Key, list[Row]] = DataLoader(
            _many(queries.notifications_of_alerts, "alert_id")
        )

    def clear(self) -> None:
        """Forget what was loaded: the next operation of a long connection, or event of a subscription, reads anew."""
        for loader in (
            self.users,
            self.sprints,
            self.comments,
            self.worklogs,
            self.sync_jobs,
            self.sync_states,
            self.open_alerts,
            self.silences,
            self.notifications_of_alerts,
        ):
            loader.clear_all()


def _one(
    query: Callable[[Sequence[Key]], list[Row]], column: str
) -> Callable[[list[Key]], Awaitable[Sequence[Row | None]]]:
    async def load(keys: list[Key]) -> Sequence[Row | None]:
        found = {(row["site"], row[column]): row for row in await _all(query, keys)}
        return [found.get(key) for key in keys]

    return load


def _many(
    query: Callable[[Sequence[Key]], list[Row]], column: str = "issue_id"
) -> Callable[[list[Key]], Awaitable[Sequence[list[Row]]]]:
    async def load(keys: list[Key]) -> Sequence[list[Row]]:
        found: dict[Key, list[Row]] = {key: [] for key in keys}
        for row in await _all(query, keys):
            found[row["site"], row[column]].append(row)
        return [found[key] for key in keys]

    return load


async def _all(query: Callable[[Sequence[Key]], list[Row]], keys: list[Key]) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(keys), CHUNK):
        rows += await asyncio.to_thread(query, keys[start : start + CHUNK])
    return rows
