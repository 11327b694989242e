"""Root fields on alerts and the notifications about them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from libs.access import Role
from libs.events import ProjectKey
from services.graphql.api.alerts.queries import AlertFilter, AlertQueries, NotificationFilter
from services.graphql.api.alerts.types import Alert, AlertStatus, Notification, NotificationState
from services.graphql.api.context import Info
from services.graphql.api.project_names import project_of
from services.graphql.reading.pages import MAX_LIST, how_many, position_in, within

argument = strawberry.argument

OfProject = Annotated[
    strawberry.ID | None,
    argument(description="Jira's id, the key, or <site>:<key>; left out: all that you may see."),
]
Limit = Annotated[int, argument(description=how_many(MAX_LIST))]
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
        rows = await info.context.queries(AlertQueries).alerts(narrow, within("limit", limit, MAX_LIST))
        return [Alert.of(row) for row in rows]

    @strawberry.field(description="An alert by id; null when there is none.")
    async def alert(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="The alert's id.")],  # noqa: A002
    ) -> Alert | None:
        row = await info.context.queries(AlertQueries).alert(id)
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
        narrow = NotificationFilter(
            project=await _named(info, project_id),
            state=None if state is None else state.name,
            after=position_in(after, "after"),
            everything=sees_everything(info),
        )
        rows = await info.context.queries(AlertQueries).notifications(narrow, within("limit", limit, MAX_LIST))
        return [Notification.of(row) for row in rows]


def sees_everything(info: Info) -> bool:
    """Whether the caller sees notifications of no project, too: administrators do whose reach has no bounds."""
    principal = info.context.principal
    return principal.may(Role.ADMIN) and principal.projects is None


async def _named(info: Info, project_id: str | None) -> ProjectKey | None:
    return None if project_id is None else await project_of(info, project_id)
