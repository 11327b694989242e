"""Root fields on alerts and the notices about them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry

from libs.access import Role
from services.graphql.api.alerts.notifications import Notification, NotificationState
from services.graphql.api.alerts.queries import AlertFilter, NoticeFilter
from services.graphql.api.alerts.types import Alert, AlertStatus
from services.graphql.api.context import Info
from services.graphql.api.projects.fields import project_of
from services.graphql.api.projects.types import MAX_LIST
from services.graphql.reading.arguments import position_in, within

argument = strawberry.argument

OfProject = Annotated[
    strawberry.ID | None,
    argument(description="Jira's id, the key, or <site>:<key>; left out: all that you may see."),
]
Limit = Annotated[int, argument(description="How many, 1 to 200.")]
After = Annotated[str | None, argument(description="Cursor of an entry: what comes behind it follows.")]


@strawberry.type
class AlertQuery:
    @strawberry.field(description="Alerts, the last raised first.")
    async def alerts(
        self,
        info: Info,
        project_id: OfProject = None,
        status: Annotated[list[AlertStatus] | None, argument(description="Only of these.")] = None,
        code: Annotated[str | None, argument(description="Only of this cause.")] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> list[Alert]:
        narrow = AlertFilter(
            project=await _named(info, project_id),
            statuses=None if status is None else tuple(each.name for each in status),
            code=code,
            after=position_in(after, "after"),
        )
        rows = await asyncio.to_thread(info.context.queries.alerts, narrow, within("limit", limit, MAX_LIST))
        return [Alert.of(row) for row in rows]

    @strawberry.field(description="An alert by id; null when there is none.")
    async def alert(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="The alert's id.")],  # noqa: A002
    ) -> Alert | None:
        row = await asyncio.to_thread(info.context.queries.alert, id)
        return None if row is None else Alert.of(row)

    @strawberry.field(
        description="Notices about alerts, the last made first; test notices, too, for administrators of everything."
    )
    async def notifications(
        self,
        info: Info,
        project_id: OfProject = None,
        state: Annotated[NotificationState | None, argument(description="Only in this state.")] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> list[Notification]:
        narrow = NoticeFilter(
            project=await _named(info, project_id),
            state=None if state is None else state.name,
            after=position_in(after, "after"),
            everything=sees_everything(info),
        )
        rows = await asyncio.to_thread(info.context.queries.notifications, narrow, within("limit", limit, MAX_LIST))
        return [Notification.of(row) for row in rows]


def sees_everything(info: Info) -> bool:
    """Whether the caller sees notices that concern no project, too: administrators do whose reach has no bounds."""
    principal = info.context.principal
    return principal.may(Role.ADMIN) and principal.projects is None


async def _named(info: Info, project_id: str | None) -> tuple[str, str] | None:
    if project_id is None:
        return None
    project = await project_of(info, project_id)
    return project["site"], project["key"]
