"""Every SELECT on registered projects, each with a name: all subjects find their project by them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, select, tuple_

from libs.events import ProjectKey
from libs.read_tables import project
from services.graphql.reading.reader import Reader, Row


class ProjectQueries(Reader):
    """Registered projects."""

    async def projects(self) -> list[Row]:
        """Registered projects, by key."""
        return await self._rows(self._registered().order_by(project.c.key, project.c.site))

    async def project_by_id_or_key(self, named: str) -> Row | None:
        """A registered project by Jira's id, by key, or by `<site>:<key>` where two sites share a key."""
        site, colon, key = named.partition(":")
        name = and_(project.c.site == site, project.c.key == key) if colon else project.c.key == named
        return await self._one(self._registered((project.c.project_id == named) | name).order_by(project.c.site))

    async def projects_by_name(self, names: Sequence[ProjectKey]) -> list[Row]:
        """Those of the projects that are registered."""
        query = self._registered(tuple_(project.c.site, project.c.key).in_(names))
        return await self._rows(query.order_by(project.c.key, project.c.site))

    def _registered(self, *which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
        return select(project).where(*which, project.c.registered, self._allowed(project.c.site, project.c.key))
