"""How far the read tables are, and what has moved in them."""

from typing import Final

import msgspec
from sqlalchemy import and_, func, select

from libs.events import ProjectKey
from libs.read_tables import PROJECTION, alert, alert_silence, census, notification, project, projection, sync_job
from services.graphql.reading.reader import Reader

_VERSIONS: Final = ("project_version", "control_version", "sync_version", "census_version")


class Versions(msgspec.Struct, frozen=True):
    """How far the read tables are, and the versions of each registered project's rows."""

    position: int
    of: dict[ProjectKey, tuple[int, ...]]
    traces: dict[ProjectKey, str | None]
    """In which each project was last changed, as a traceparent."""
    alerts: int
    """Position of the last event that changed an alert, a silence or a notification."""


class VersionQueries(Reader):
    """Positions and versions."""

    async def position(self) -> int:
        """The position in the event log that the read tables show."""
        row = await self._one(select(projection.c.position).where(projection.c.name == PROJECTION))
        return 0 if row is None else int(row["position"])

    async def versions(self) -> Versions:
        """All of them, read one after the other, the position first: what changes between is seen the next time."""
        position = await self.position()
        query = (
            select(
                project.c.site,
                project.c.key,
                sync_job.c.trace,
                project.c.version.label("project_version"),
                project.c.control_version,
                sync_job.c.version.label("sync_version"),
                func.coalesce(census.c.version, 0).label("census_version"),
            )
            .select_from(project)
            .join(sync_job, and_(sync_job.c.site == project.c.site, sync_job.c.project_key == project.c.key))
            .outerjoin(census, and_(census.c.site == project.c.site, census.c.project_key == project.c.key))
            .where(project.c.registered, self._allowed(project.c.site, project.c.key))
        )
        rows = {ProjectKey(row["site"], row["key"]): row for row in await self._rows(query)}
        return Versions(
            position=position,
            of={key: tuple(row[name] for name in _VERSIONS) for key, row in rows.items()},
            traces={key: row["trace"] for key, row in rows.items()},
            alerts=await self._alerts_moved_at(),
        )

    async def _alerts_moved_at(self) -> int:
        """The position of the last event that changed any alert, silence or notification."""
        tables = (alert, alert_silence, notification)
        newest = (select(func.max(table.c.changed_position)).scalar_subquery().label(table.name) for table in tables)
        row = await self._one(select(*newest))
        return max(position or 0 for position in (row or {}).values())
