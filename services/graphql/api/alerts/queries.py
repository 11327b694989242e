"""Every SELECT on alerts and the notices about them, each with a name."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_

from libs.read_tables import alert, alert_silence, notification, notification_alert, schema_drift
from services.graphql.reading.reader import Reader, Row

NOTICES_OF_AN_ALERT: Final = 20


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of alerts is narrowed to; None does not narrow."""

    project: tuple[str, str] | None = None
    statuses: tuple[str, ...] | None = None
    code: str | None = None
    after: int | None = None
    """Position: only what was raised before it."""


class NoticeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of notices is narrowed to; None does not narrow."""

    project: tuple[str, str] | None = None
    state: str | None = None
    after: int | None = None
    """Position: only what was made before it."""
    everything: bool = False
    """Also those about no alert (somebody tried a channel), or about one that is not shown any more."""


class AlertQueries(Reader):
    """Alerts, silences, notices, and fields that changed."""

    def alerts(self, narrow: AlertFilter, limit: int) -> list[Row]:
        """Alerts, the last raised first."""
        query = select(alert).where(self._seen_alert())
        if narrow.project is not None:
            query = query.where(_of(alert, narrow.project))
        if narrow.statuses is not None:
            query = query.where(alert.c.status.in_(narrow.statuses))
        if narrow.code is not None:
            query = query.where(alert.c.code == narrow.code)
        if narrow.after is not None:
            query = query.where(alert.c.raised_position < narrow.after)
        return self._rows(query.order_by(alert.c.raised_position.desc()).limit(limit))

    def alert(self, alert_id: str) -> Row | None:
        """One alert by id."""
        return self._one(select(alert).where(alert.c.alert_id == alert_id, self._seen_alert()))

    def open_alerts_of_projects(self, projects: Sequence[tuple[str, str]]) -> list[Row]:
        """The alerts of several projects that are not over, the last raised first."""
        query = select(alert).where(tuple_(alert.c.site, alert.c.project_key).in_(projects), self._seen_alert())
        return self._rows(query.where(alert.c.status != "RESOLVED").order_by(alert.c.raised_position.desc()))

    def alerts_changed(self, since: int, until: int, limit: int) -> list[Row]:
        """Alerts that changed last behind a position and up to another, or of which people were told or silenced there.

        One that has changed again since comes with what changed later.
        """
        told = exists().where(
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
        changed = or_(moved, told, and_(alert.c.status != "RESOLVED", silenced))
        query = select(alert).where(changed, self._seen_alert())
        return self._rows(query.order_by(alert.c.changed_position.desc()).limit(limit))

    def alerts_moved_at(self) -> int:
        """The position of the last event that changed any alert, silence or notice."""
        newest = (
            select(func.max(table.c.changed_position)).scalar_subquery()
            for table in (alert, alert_silence, notification)
        )
        with self._engine.connect() as connection:
            return max(position or 0 for position in connection.execute(select(*newest)).one())

    def silences_of_projects(self, projects: Sequence[tuple[str, str]]) -> list[Row]:
        """What is silenced now in several projects."""
        query = select(alert_silence).where(
            tuple_(alert_silence.c.site, alert_silence.c.project_key).in_(projects),
            alert_silence.c.until > _now(),
            self._seen(alert_silence.c.site, alert_silence.c.project_key),
        )
        return self._rows(query.order_by(alert_silence.c.code))

    def notifications(self, narrow: NoticeFilter, limit: int) -> list[Row]:
        """Notices, the last made first."""
        query = self._notices(everything=narrow.everything, project=narrow.project)
        if narrow.state is not None:
            query = query.where(notification.c.state == narrow.state)
        if narrow.after is not None:
            query = query.where(notification.c.created_position < narrow.after)
        return self._with_alerts(self._rows(query.order_by(notification.c.created_position.desc()).limit(limit)))

    def notification(self, notification_id: str, *, everything: bool) -> Row | None:
        """One notice by id."""
        query = self._notices(everything=everything).where(notification.c.notice_id == notification_id)
        return next(iter(self._with_alerts(self._rows(query.limit(1)))), None)

    def notifications_of_alerts(self, alerts: Sequence[tuple[str, str]]) -> list[Row]:
        """The last notices about several alerts, newest first, each row with its `alert_id`."""
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
        query = select(ranked).where(ranked.c.place <= NOTICES_OF_AN_ALERT)
        return self._with_alerts(self._rows(query.order_by(ranked.c.created_position.desc())))

    def schema_drifts(self, site: str, project_key: str, limit: int, before: int | None) -> list[Row]:
        """Fields of a project's answers that changed, the last first, from before a position on."""
        seen = self._seen(schema_drift.c.site, schema_drift.c.project_key)
        query = select(schema_drift).where(_of(schema_drift, (site, project_key)), seen)
        if before is not None:
            query = query.where(schema_drift.c.position < before)
        return self._rows(query.order_by(schema_drift.c.position.desc()).limit(limit))

    def _notices(self, *, everything: bool, project: tuple[str, str] | None = None) -> Select[Any]:
        """Notices about an alert that may be seen, of one project if one is named; or just everything."""
        if everything and project is None:
            return select(notification)
        named = [
            notification_alert.c.site == notification.c.site,
            notification_alert.c.notice_id == notification.c.notice_id,
            alert.c.site == notification_alert.c.site,
            alert.c.alert_id == notification_alert.c.alert_id,
        ]
        shown = [self._seen_alert()] if project is None else [self._seen_alert(), _of(alert, project)]
        return select(notification).where(exists().where(*named, *shown))

    def _with_alerts(self, rows: list[Row]) -> list[Row]:
        """The rows, each with the `alert_ids` that may be seen, and whether it is about `others` as well."""
        names = [(row["site"], row["notice_id"]) for row in rows]
        named = notification_alert
        query = (
            select(named, and_(alert.c.alert_id.is_not(None), self._seen_alert()).label("seen"))
            .outerjoin(alert, and_(alert.c.site == named.c.site, alert.c.alert_id == named.c.alert_id))
            .where(tuple_(named.c.site, named.c.notice_id).in_(names))
        )
        seen: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        others: set[tuple[str, str]] = set()
        for found in self._rows(query.order_by(alert.c.raised_position)) if rows else ():
            name = (found["site"], found["notice_id"])
            if found["seen"]:
                seen[name].append(found["alert_id"])
            else:
                others.add(name)
        # One whom nothing is kept from may read a subject that names projects which are not registered any more.
        kept = others if self._projects is not None else ()
        return [{**row, "alert_ids": seen[name], "others": name in kept} for name, row in zip(names, rows, strict=True)]

    def _seen_alert(self) -> ColumnElement[bool]:
        return self._seen(alert.c.site, alert.c.project_key)


def _of(table: Any, project: tuple[str, str]) -> ColumnElement[bool]:
    return and_(table.c.site == project[0], table.c.project_key == project[1])


def _now() -> str:
    """This moment, as the read tables write it."""
    return f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:23]}Z"
