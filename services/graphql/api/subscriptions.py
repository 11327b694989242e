"""What can be watched: each subscription begins with what is so now, or where its cursor says, and misses nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from libs.events import ProjectKey
from services.graphql.api.alerts.queries import AlertQueries
from services.graphql.api.alerts.types import Alert
from services.graphql.api.context import Info
from services.graphql.api.project_names import ProjectId, project_of, uid
from services.graphql.api.projects.types import Project
from services.graphql.api.syncs.queries import SyncQueries
from services.graphql.api.syncs.types import SyncJob, SyncLog
from services.graphql.execution.errors import coded
from services.graphql.reading.pages import ALERTS_AT_ONCE, LOGS_AT_ONCE, position_in
from services.graphql.reading.projects import ProjectQueries
from services.graphql.reading.reader import Row
from services.graphql.reading.versions import VersionQueries, Versions
from services.graphql.tracing import delivery

argument = strawberry.argument


@strawberry.type(description="Projects or alerts have changed.")
class ConsoleEvent:
    position: str = strawberry.field(description="How far the read tables are in the event log.")
    projects: list[Project] = strawberry.field(
        description="Those that changed since the event before, as they are now."
    )
    alerts: list[Alert] = strawberry.field(
        description="Those that changed since the event before, as they are now, or of which somebody was told: at most"
        f" {ALERTS_AT_ONCE}, the last changed first."
    )
    removed: list[strawberry.ID] = strawberry.field(description="uids of those that were unregistered.")


@strawberry.type(description="What can be watched, over graphql-transport-ws or server-sent events.")
class Subscription:
    @strawberry.subscription(description="A project's job: as it is now, then as it moves, at most twice a second.")
    async def sync_progress(self, info: Info, project_id: ProjectId) -> AsyncGenerator[SyncJob, None]:
        project = await project_of(info, project_id)
        seen = None
        async with aclosing(_states(info)) as states:
            async for state in states:
                if state.of.get(project) == seen:
                    continue
                seen = state.of.get(project)
                rows = await info.context.queries(SyncQueries).sync_jobs_of_projects([project])
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
        last = position_in(after, "after")
        if last is None:
            last = await info.context.queries(VersionQueries).position()
        queries = info.context.queries(SyncQueries)
        async with aclosing(_states(info)) as states:
            async for _ in states:
                while rows := await queries.sync_logs_since(project, last, LOGS_AT_ONCE):
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


def _changed(info: Info, seen: Versions | None, state: Versions) -> list[ProjectKey]:
    """The projects that have changed between two states, as far as the caller may see them."""
    before = state.of if seen is None else seen.of
    return [
        project for project, versions in state.of.items() if before.get(project) != versions and _sees(info, project)
    ]


def _traces(info: Info, seen: Versions | None, state: Versions) -> list[str | None]:
    """In which their last changes were made."""
    return [state.traces.get(project) for project in _changed(info, seen, state)]


async def _event(info: Info, seen: Versions | None, state: Versions) -> ConsoleEvent:
    """What has changed between two states, as far as the caller may see it."""
    before = state.of if seen is None else seen.of
    changed = _changed(info, seen, state)
    removed = [project for project in before if project not in state.of and _sees(info, project)]
    rows = await info.context.queries(ProjectQueries).projects_by_name(changed) if changed else []
    alerts: list[Row] = []
    if seen is not None and seen.alerts < state.alerts:
        alerts = await info.context.queries(AlertQueries).alerts_changed(seen.alerts, state.alerts, ALERTS_AT_ONCE)
    return ConsoleEvent(
        position=str(state.position),
        projects=[Project.of(row) for row in rows],
        alerts=[Alert.of(row) for row in alerts],
        removed=[uid(project) for project in removed],
    )


async def _states(info: Info) -> AsyncGenerator[Versions, None]:
    """The states as they move, for as long as the caller may watch."""
    async with aclosing(info.context.live.states()) as states:
        async for state in states:
            if not await info.context.still_valid():
                raise coded("UNAUTHENTICATED", "The token has expired or was revoked. Sign in again.")
            info.context.loaders.clear()
            yield state


def _sees(info: Info, project: ProjectKey) -> bool:
    return info.context.principal.sees(project.site, project.key)
