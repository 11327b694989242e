"""Every SELECT on what is proved, each with a name."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Select, Table, and_, func, select, tuple_

from libs.read_tables import census, comment, completeness, issue, worklog
from services.graphql.reading.loaders import Key, Nested
from services.graphql.reading.reader import Reader, Row


class CompletenessQueries(Reader):
    """Censuses, and what they compared."""

    async def censuses_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """What the last censuses of several projects found, by (site, project key)."""
        return await self._rows(self._of_projects(census, projects))

    async def proofs_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """What they compared, a row an entity."""
        return await self._rows(self._of_projects(completeness, projects))

    async def issues_here(self, projects: Sequence[Key]) -> list[Row]:
        """How many issues of several projects are stored and shown; no row for none."""
        project = (issue.c.site, issue.c.project_key)
        query = select(*project, func.count().label("number")).where(
            tuple_(*project).in_(projects), self._seen(*project)
        )
        return await self._rows(query.group_by(*project))

    async def comments_here(self, projects: Sequence[Key]) -> list[Row]:
        """The same for comments."""
        return await self._rows(self._on_issues(comment, projects))

    async def worklogs_here(self, projects: Sequence[Key]) -> list[Row]:
        """The same for worklogs."""
        return await self._rows(self._on_issues(worklog, projects))

    async def keys_of_issues(self, issues: Sequence[Key]) -> list[Row]:
        """The keys of those of several issues that are shown, by (site, id)."""
        query = select(issue.c.site, issue.c.issue_id, issue.c.key)
        seen = self._seen(issue.c.site, issue.c.project_key)
        return await self._rows(query.where(tuple_(issue.c.site, issue.c.issue_id).in_(issues), seen))

    def _of_projects(self, table: Table, projects: Sequence[Key]) -> Select[tuple[object, ...]]:
        project = (table.c.site, table.c.project_key)
        return select(table).where(tuple_(*project).in_(projects), self._seen(*project))

    def _on_issues(self, table: Table, projects: Sequence[Key]) -> Select[tuple[object, ...]]:
        project = (issue.c.site, issue.c.project_key)
        of_issue = and_(table.c.site == issue.c.site, table.c.issue_id == issue.c.issue_id)
        query = select(*project, func.count().label("number")).select_from(issue).join(table, of_issue)
        return query.where(tuple_(*project).in_(projects), self._seen(*project)).group_by(*project)


CENSUS: Final = Nested(CompletenessQueries, CompletenessQueries.censuses_of_projects, "project_key")
PROOFS: Final = Nested(CompletenessQueries, CompletenessQueries.proofs_of_projects, "project_key")
KEYS: Final = Nested(CompletenessQueries, CompletenessQueries.keys_of_issues, "issue_id")
HERE: Final = {
    "issue": Nested(CompletenessQueries, CompletenessQueries.issues_here, "project_key"),
    "comment": Nested(CompletenessQueries, CompletenessQueries.comments_here, "project_key"),
    "worklog": Nested(CompletenessQueries, CompletenessQueries.worklogs_here, "project_key"),
}
