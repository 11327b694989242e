"""Every SELECT on what Jira holds, each with a name; rows come back as mappings."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_

from libs.events import ProjectKey
from libs.read_tables import comment, former_key, issue, issue_sprint, jira_user, sprint, sprint_project, worklog
from services.graphql.reading.loaders import Key, Nested
from services.graphql.reading.reader import Reader, Row, of_project, registered


def _as_number(column: ColumnElement[str]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Sorts Jira's ids, digits in a column of text, as numbers: 99998 before 100000."""
    return func.length(column), column


class IssueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of issues is narrowed to; None does not narrow."""

    assignee: str | None = None
    status: str | None = None
    sprint: str | None = None
    updated_since: str | None = None
    text: str | None = None


class IssueQueries(Reader):
    """Issues, and what hangs on them."""

    async def issue_by_id(self, issue_id: str) -> Row | None:
        """One issue by Jira's id."""
        return await self._one(select(issue).where(issue.c.issue_id == issue_id, self._seen_issue()))

    async def issue_by_key(self, key: str) -> Row | None:
        """One issue by its key, else by one that it had before.

        Of several that had it, the one that changed last under it. A key that another issue has now is that one's,
        also for those who may not see it.
        """
        current = await self._one(select(issue).where(issue.c.key == key, self._seen_issue()))
        return current or await self._one(self._by_former_key(key))

    def _by_former_key(self, key: str) -> Select[Any]:
        now = issue.alias("now")
        taken = exists().where(
            now.c.site == former_key.c.site, now.c.key == key, registered(now.c.site, now.c.project_key)
        )
        return (
            select(issue)
            .join(former_key, and_(former_key.c.site == issue.c.site, former_key.c.issue_id == issue.c.issue_id))
            .where(former_key.c.key == key, ~taken, self._seen_issue())
            .order_by(former_key.c.updated.desc(), *(part.desc() for part in _as_number(issue.c.issue_id)))
        )

    async def issues_page(
        self, project: ProjectKey, narrow: IssueFilter, after: tuple[str, ...] | None, limit: int
    ) -> list[Row]:
        """Issues of a project, the last changed first, after a keyset of (updated, id)."""
        query = select(issue).where(of_project(issue, project), self._seen_issue())
        if narrow.assignee is not None:
            query = query.where(issue.c.assignee_id == narrow.assignee)
        if narrow.status is not None:
            query = query.where(issue.c.status == narrow.status)
        if narrow.sprint is not None:
            planned = select(issue_sprint.c.issue_id).where(
                issue_sprint.c.site == project.site, issue_sprint.c.sprint_id == narrow.sprint
            )
            query = query.where(issue.c.issue_id.in_(planned))
        if narrow.updated_since is not None:
            query = query.where(issue.c.updated >= narrow.updated_since)
        if narrow.text is not None:
            former = former_key.c.key.icontains(narrow.text, autoescape=True)
            query = query.where(
                or_(
                    issue.c.issue_id.in_(
                        select(former_key.c.issue_id).where(former_key.c.site == project.site, former)
                    ),
                    issue.c.summary.icontains(narrow.text, autoescape=True),
                    issue.c.description.icontains(narrow.text, autoescape=True),
                    issue.c.key.icontains(narrow.text, autoescape=True),
                )
            )
        if after is not None:
            query = query.where(tuple_(issue.c.updated, issue.c.issue_id) < tuple_(*after))
        return await self._rows(query.order_by(issue.c.updated.desc(), issue.c.issue_id.desc()).limit(limit))

    async def comments_of_issues(self, issues: Sequence[Key]) -> list[Row]:
        """Comments of several issues, oldest first."""
        query = select(comment).where(tuple_(comment.c.site, comment.c.issue_id).in_(issues))
        return await self._rows(query.order_by(comment.c.created, *_as_number(comment.c.comment_id)))

    async def worklogs_of_issues(self, issues: Sequence[Key]) -> list[Row]:
        """Worklogs of several issues, oldest first."""
        query = select(worklog).where(tuple_(worklog.c.site, worklog.c.issue_id).in_(issues))
        began = func.coalesce(worklog.c.started, worklog.c.created)
        return await self._rows(query.order_by(began, *_as_number(worklog.c.worklog_id)))

    async def users_by_account(self, accounts: Sequence[Key]) -> list[Row]:
        """Users by (site, account id)."""
        return await self._rows(select(jira_user).where(tuple_(jira_user.c.site, jira_user.c.account_id).in_(accounts)))

    async def sprints_by_id(self, sprints: Sequence[Key]) -> list[Row]:
        """Sprints by (site, sprint id)."""
        return await self._rows(select(sprint).where(tuple_(sprint.c.site, sprint.c.sprint_id).in_(sprints)))

    async def sprints_of_project(self, project: ProjectKey) -> list[Row]:
        """Sprints of the project's boards and those its issues are planned in, by start; those without one last."""
        planned = (
            select(issue_sprint.c.sprint_id)
            .join(issue, and_(issue.c.site == issue_sprint.c.site, issue.c.issue_id == issue_sprint.c.issue_id))
            .where(of_project(issue, project))
        )
        listed = select(sprint_project.c.sprint_id).where(of_project(sprint_project, project))
        query = select(sprint).where(
            sprint.c.site == project.site, or_(sprint.c.sprint_id.in_(listed), sprint.c.sprint_id.in_(planned))
        )
        return await self._rows(query.order_by(sprint.c.start_date.nulls_last(), *_as_number(sprint.c.sprint_id)))

    async def users(self, project: ProjectKey | None = None) -> list[Row]:
        """Users by name; of a project, or of those that may be seen: those who have a part in the issues."""
        query = select(jira_user)
        if self._projects is not None or project is not None:
            own = [self._seen_issue()]
            if project is not None:
                own.append(of_project(issue, project))
            ids = select(issue.c.site, issue.c.issue_id).where(*own)
            parts = (
                select(issue.c.site, issue.c.assignee_id).where(*own),
                select(issue.c.site, issue.c.reporter_id).where(*own),
                select(comment.c.site, comment.c.author_id).where(tuple_(comment.c.site, comment.c.issue_id).in_(ids)),
                select(worklog.c.site, worklog.c.author_id).where(tuple_(worklog.c.site, worklog.c.issue_id).in_(ids)),
            )
            person = tuple_(jira_user.c.site, jira_user.c.account_id)
            query = query.where(or_(*(person.in_(part) for part in parts)))
        return await self._rows(query.order_by(jira_user.c.display_name, jira_user.c.account_id))

    def _seen_issue(self) -> ColumnElement[bool]:
        return self._seen(issue.c.site, issue.c.project_key)


USERS: Final = Nested(IssueQueries, IssueQueries.users_by_account, "account_id")
SPRINTS: Final = Nested(IssueQueries, IssueQueries.sprints_by_id, "sprint_id")
COMMENTS: Final = Nested(IssueQueries, IssueQueries.comments_of_issues, "issue_id")
WORKLOGS: Final = Nested(IssueQueries, IssueQueries.worklogs_of_issues, "issue_id")
