"""Every SELECT on what is set aside, each with a name."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, String, cast, func, select, tuple_

from libs.events import ProjectKey
from libs.read_tables import quarantine
from services.graphql.reading.loaders import Key, Nested
from services.graphql.reading.reader import Reader, Row, of_project

_RECORD: Final = tuple(column for column in quarantine.c if column is not quarantine.c.raw)
"""What Jira showed is read for those records of which it is asked: it may be many times the size of the rest."""


class QuarantineQueries(Reader):
    """Records that are set aside."""

    async def records(self, project: ProjectKey | None, limit: int, after: int | None) -> list[Row]:
        """Records of a project, or of all that may be seen, the last set aside first, from behind a position."""
        query = select(*_RECORD).where(self._seen_record())
        if project is not None:
            query = query.where(of_project(quarantine, project))
        if after is not None:
            query = query.where(quarantine.c.since_position < after)
        return await self._rows(query.order_by(quarantine.c.since_position.desc()).limit(limit))

    async def record(self, position: int) -> Row | None:
        """The record that the event at this position set aside."""
        return await self._one(select(*_RECORD).where(quarantine.c.since_position == position, self._seen_record()))

    async def raw_of_records(self, records: Sequence[Key]) -> list[Row]:
        """What Jira showed of several records, by (site, position as text)."""
        wanted = [(site, int(position)) for site, position in records]
        place = cast(quarantine.c.since_position, String).label("place")
        query = select(quarantine.c.site, place, quarantine.c.raw).where(self._seen_record())
        return await self._rows(query.where(tuple_(quarantine.c.site, quarantine.c.since_position).in_(wanted)))

    async def counts_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """How many records of several projects are set aside; no row for none."""
        project = (quarantine.c.site, quarantine.c.project_key)
        query = select(*project, func.count().label("records")).where(self._seen_record())
        return await self._rows(query.where(tuple_(*project).in_(projects)).group_by(*project))

    def _seen_record(self) -> ColumnElement[bool]:
        return self._seen(quarantine.c.site, quarantine.c.project_key)


RAW: Final = Nested(QuarantineQueries, QuarantineQueries.raw_of_records, "place")
COUNTS: Final = Nested(QuarantineQueries, QuarantineQueries.counts_of_projects, "project_key")
