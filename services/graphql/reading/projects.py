"""Every SELECT on registered projects, each with a name: all subjects find their project by them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, select, true, tuple_

from libs.events import ProjectKey
from libs.read_tables import project
from services.graphql.reading.reader import Reader, Row


class ProjectQueries(Reader):
    """Registered projects."""

    async def projects(self) -> list[Row]:
        """Registered projects, by key."""
        return await self._rows(self._registered().order_by(project.c.key, project.c.site))

    async def project_by_id_or_key(self, named: str) -> Row | None:
        """A registered project by Jira's id, by key, or by `<site>:<key>` where two sites share a key.

        A project whose key has changed in Jira answers to both; that it was registered by a key comes first.
        """
        site, colon, key = named.partition(":")
        of_site = project.c.site == site if colon else true()
        key = key if colon else named
        by_key = and_(of_site, project.c.key == key)
        named_so = (project.c.project_id == named) | and_(of_site, project.c.jira_key == key) | by_key
        return await self._one(self._registered(named_so).order_by(by_key.desc(), project.c.site, project.c.key))

    async def projects_by_name(self, names: Sequence[ProjectKey]) -> list[Row]:
        """Those of the projects that are registered."""
        query = self._registered(tuple_(project.c.site, project.c.key).in_(names))
        return await self._rows(query.order_by(project.c.key, project.c.site))

    def _registered(self, *which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
        return select(project).where(*which, project.c.registered, self._allowed(project.c.site, project.c.key))
