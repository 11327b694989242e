"""Every SELECT on alerts and the notifications about them, each with a name."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_

from libs.events import ProjectKey
from libs.read_tables import alert, alert_silence, notification, notification_alert
from services.graphql.reading.loaders import Key, Nested
from services.graphql.reading.pages import NOTIFICATIONS_OF_AN_ALERT
from services.graphql.reading.reader import Reader, Row, of_project


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of alerts is narrowed to; None does not narrow."""

    project: ProjectKey | None = None
    statuses: tuple[str, ...] | None = None
    code: str | None = None
    after: int | None = None
    """Position: only what was raised before it."""


class NotificationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of notifications is narrowed to; None does not narrow."""

    project: ProjectKey | None = None
    state: str | None = None
    after: int | None = None
    """Position: only what was made before it."""
    everything: bool = False
    """Also those about no alert (somebody tried a channel), or about one that is not shown any more."""


class AlertQueries(Reader):
    """Alerts, silences and notifications."""

    async def alerts(self, narrow: AlertFilter, limit: int) -> list[Row]:
        """Alerts, the last raised first."""
        query = select(alert).where(self._seen_alert())
        if narrow.project is not None:
            query = query.where(of_project(alert, narrow.project))
        if narrow.statuses is not None:
            query = query.where(alert.c.status.in_(narrow.statuses))
        if narrow.code is not None:
            query = query.where(alert.c.code == narrow.code)
        if narrow.after is not None:
            query = query.where(alert.c.raised_position < narrow.after)
        return await self._rows(query.order_by(alert.c.raised_position.desc()).limit(limit))

    async def alert(self, alert_id: str) -> Row | None:
        """One alert by id."""
        return await self._one(select(alert).where(alert.c.alert_id == alert_id, self._seen_alert()))

    async def open_alerts_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """The alerts of several projects that are not over, the last raised first."""
        query = select(alert).where(tuple_(alert.c.site, alert.c.project_key).in_(projects), self._seen_alert())
        return await self._rows(query.where(alert.c.status != "RESOLVED").order_by(alert.c.raised_position.desc()))

    async def alerts_changed(self, since: int, until: int, limit: int) -> list[Row]:
        """Alerts that changed last behind a position and up to another, or whose notifications or silences did.

        One that has changed again since comes with what changed later.
        """
        reported = exists().where(
            notification_alert.c.site == alert.c.site,
            notification_alert.c.alert_id == alert.c.alert_id,
            notification.c.site == notification_alert.c.site,
            notification.c.notice_id == notification_alert.c.notice_id,
            notification.c.changed_position > since,
            notification.c.changed_position <= until,
        )
        silenced = exists().where(
            alert_silence.c.site == alert.c.site,
            alert_silence.c.project_key == alert.c.project_key,
            or_(alert_silence.c.code == "", alert_silence.c.code == alert.c.code),
            alert_silence.c.changed_position > since,
            alert_silence.c.changed_position <= until,
        )
        moved = and_(alert.c.changed_position > since, alert.c.changed_position <= until)
        changed = or_(moved, reported, and_(alert.c.status != "RESOLVED", silenced))
        query = select(alert).where(changed, self._seen_alert())
        return await self._rows(query.order_by(alert.c.changed_position.desc()).limit(limit))

    async def silences_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """What is silenced now in several projects."""
        query = select(alert_silence).where(
            tuple_(alert_silence.c.site, alert_silence.c.project_key).in_(projects),
            alert_silence.c.until > _now(),
            self._seen(alert_silence.c.site, alert_silence.c.project_key),
        )
        return await self._rows(query.order_by(alert_silence.c.code))

    async def notifications(self, narrow: NotificationFilter, limit: int) -> list[Row]:
        """Notifications, the last made first."""
        query = self._notifications(everything=narrow.everything, project=narrow.project)
        if narrow.state is not None:
            query = query.where(notification.c.state == narrow.state)
        if narrow.after is not None:
            query = query.where(notification.c.created_position < narrow.after)
        return await self._with_alerts(
            await self._rows(query.order_by(notification.c.created_position.desc()).limit(limit))
        )

    async def notification(self, notification_id: str, *, everything: bool) -> Row | None:
        """One notification by id."""
        query = self._notifications(everything=everything).where(notification.c.notice_id == notification_id)
        return next(iter(await self._with_alerts(await self._rows(query.limit(1)))), None)

    async def notifications_of_alerts(self, alerts: Sequence[Key]) -> list[Row]:
        """The last notifications about several alerts, newest first, each row with its `alert_id`."""
        about = notification_alert
        place = func.row_number().over(
            partition_by=(about.c.site, about.c.alert_id), order_by=notification.c.created_position.desc()
        )
        ranked = (
            select(notification, about.c.alert_id, place.label("place"))
            .join(about, and_(about.c.site == notification.c.site, about.c.notice_id == notification.c.notice_id))
            .where(tuple_(about.c.site, about.c.alert_id).in_(alerts))
            .subquery()
        )
        query = select(ranked).where(ranked.c.place <= NOTIFICATIONS_OF_AN_ALERT)
        return await self._with_alerts(await self._rows(query.order_by(ranked.c.created_position.desc())))

    def _notifications(self, *, everything: bool, project: ProjectKey | None = None) -> Select[Any]:
        """Notifications about an alert that may be seen, of one project if one is named; or just everything."""
        if everything and project is None:
            return select(notification)
        named = [
            notification_alert.c.site == notification.c.site,
            notification_alert.c.notice_id == notification.c.notice_id,
            alert.c.site == notification_alert.c.site,
            alert.c.alert_id == notification_alert.c.alert_id,
        ]
        shown = [self._seen_alert()] if project is None else [self._seen_alert(), of_project(alert, project)]
        return select(notification).where(exists().where(*named, *shown))

    async def _with_alerts(self, rows: list[Row]) -> list[Row]:
        """The rows, each with the `alert_ids` that may be seen, and whether it is about `others` as well."""
        names = [(row["site"], row["notice_id"]) for row in rows]
        named = notification_alert
        query = (
            select(named, and_(alert.c.alert_id.is_not(None), self._seen_alert()).label("seen"))
            .outerjoin(alert, and_(alert.c.site == named.c.site, alert.c.alert_id == named.c.alert_id))
            .where(tuple_(named.c.site, named.c.notice_id).in_(names))
        )
        seen: defaultdict[Key, list[str]] = defaultdict(list)
        others: set[Key] = set()
        for found in await self._rows(query.order_by(alert.c.raised_position)) if rows else ():
            name = (found["site"], found["notice_id"])
            if found["seen"]:
                seen[name].append(found["alert_id"])
            else:
                others.add(name)
        # One whom nothing is kept from may read a subject that names projects which are not registered any more.
        kept = others if self._projects is not None else ()
        return [{**row, "alert_ids": seen[name], "others": name in kept} for name, row in zip(names, rows, strict=True)]

    def _seen_alert(self) -> ColumnElement[bool]:
        """Also that of a site as a whole, which no project has, where nothing is kept from the one who asks."""
        seen = self._seen(alert.c.site, alert.c.project_key)
        return or_(seen, alert.c.project_key == "") if self._projects is None else seen


def _now() -> str:
    """This moment, as the read tables write it."""
    return f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:23]}Z"


ALERTS: Final = Nested(AlertQueries, AlertQueries.open_alerts_of_projects, "project_key")
SILENCES: Final = Nested(AlertQueries, AlertQueries.silences_of_projects, "project_key")
NOTIFICATIONS: Final = Nested(AlertQueries, AlertQueries.notifications_of_alerts, "alert_id")
