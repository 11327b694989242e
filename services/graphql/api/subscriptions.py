"""What can be watched: each subscription begins with what is so now, or where its cursor says, and misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

import strawberry

from services.graphql.api.alerts.types import Alert
from services.graphql.api.context import Info
from services.graphql.api.projects.fields import ProjectId, project_of
from services.graphql.api.projects.types import Project
from services.graphql.api.syncs.queries import Versions
from services.graphql.api.syncs.types import SyncJob, SyncLog, uid
from services.graphql.execution.errors import coded
from services.graphql.reading.arguments import position_in
from services.graphql.reading.reader import Row
from services.graphql.tracing import delivery

argument = strawberry.argument

LOGS_AT_ONCE: Final = 500
ALERTS_AT_ONCE: Final = 200


@strawberry.type(description="Projects or alerts have changed.")
class ConsoleEvent:
    position: str = strawberry.field(description="How far the read tables are in the event log.")
    projects: list[Project] = strawberry.field(
        description="Those that changed since the event before, as they are now."
    )
    alerts: list[Alert] = strawberry.field(
        description="Those that changed since the event before, as they are now, or of which somebody was told: at most"
        " 200, the last changed first."
    )
    removed: list[strawberry.ID] = strawberry.field(description="uids of those that were unregistered.")


@strawberry.type(description="What can be watched, over graphql-transport-ws or server-sent events.")
class Subscription:
    @strawberry.subscription(description="A project's job: as it is now, then as it moves, at most twice a second.")
    async def sync_progress(self, info: Info, project_id: ProjectId) -> AsyncGenerator[SyncJob, None]:
        project = await project_of(info, project_id)
        name, seen = (project["site"], project["key"]), None
        async with aclosing(_states(info)) as states:
            async for state in states:
                if state.of.get(name) == seen:
                    continue
                seen = state.of.get(name)
                rows = await asyncio.to_thread(info.context.queries.sync_jobs_of_projects, [name])
                if not rows:
                    return  # it was unregistered
                with delivery("syncProgress", [rows[0]["trace"]]):
                    yield SyncJob.of(rows[0])

    @strawberry.subscription(
        description="A project's log: every entry behind the cursor, in order, then each as it comes."
        " Without a cursor: those that come from now on."
    )
    async def sync_log_added(
        self,
        info: Info,
        project_id: ProjectId,
        after: Annotated[strawberry.ID | None, argument(description="Id of the last entry that was seen.")] = None,
    ) -> AsyncGenerator[SyncLog, None]:
        project = await project_of(info, project_id)
        queries, site, key = info.context.queries, project["site"], project["key"]
        last = position_in(after, "after")
        if last is None:
            last = await asyncio.to_thread(queries.position)
        async with aclosing(_states(info)) as states:
            async for _ in states:
                while rows := await asyncio.to_thread(queries.sync_logs_since, site, key, last, LOGS_AT_ONCE):
                    for row in rows:
                        last = row["position"]
                        with delivery("syncLogAdded", [row["trace"]]):
                            yield SyncLog.of(row)

    @strawberry.subscription(
        description="Word of every project and alert that changes, at most twice a second. The first event comes at"
        " once and names none: fetch everything when it comes, and what the later events name."
    )
    async def console_events(self, info: Info) -> AsyncGenerator[ConsoleEvent, None]:
        seen: Versions | None = None
        async with aclosing(_states(info)) as states:
            async for state in states:
                before, seen = seen, state
                event = await _event(info, before, state)
                if before is None or event.projects or event.alerts or event.removed:
                    with delivery("consoleEvents", _traces(info, before, state)):
                        yield event


def _changed(info: Info, seen: Versions | None, state: Versions) -> list[tuple[str, str]]:
    """The projects that have changed between two states, as far as the caller may see them."""
    before = state.of if seen is None else seen.of
    return [name for name, versions in state.of.items() if before.get(name) != versions and _sees(info, name)]


def _traces(info: Info, seen: Versions | None, state: Versions) -> list[str | None]:
    """In which their last changes were made."""
    return [state.traces.get(name) for name in _changed(info, seen, state)]


async def _event(info: Info, seen: Versions | None, state: Versions) -> ConsoleEvent:
    """What has changed between two states, as far as the caller may see it."""
    before = state.of if seen is None else seen.of
    changed = _changed(info, seen, state)
    removed = [name for name in before if name not in state.of and _sees(info, name)]
    queries = info.context.queries
    rows = await asyncio.to_thread(queries.projects_by_name, changed) if changed else []
    alerts: list[Row] = []
    if seen is not None and seen.alerts < state.alerts:
        alerts = await asyncio.to_thread(queries.alerts_changed, seen.alerts, state.alerts, ALERTS_AT_ONCE)
    return ConsoleEvent(
        position=str(state.position),
        projects=[Project.of(row) for row in rows],
        alerts=[Alert.of(row) for row in alerts],
        removed=[strawberry.ID(uid(*name)) for name in removed],
    )


async def _states(info: Info) -> AsyncGenerator[Versions, None]:
    """The states as they move, for as long as the caller may watch."""
    async with aclosing(info.context.live.states()) as states:
        async for state in states:
            if not await info.context.still_valid():
                raise coded("UNAUTHENTICATED", "The token has expired or was revoked. Sign in again.")
            info.context.loaders.clear()
            yield state


def _sees(info: Info, name: tuple[str, str]) -> bool:
    return info.context.principal.sees(*name)
