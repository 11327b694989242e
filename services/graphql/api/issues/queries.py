"""Every SELECT on what Jira holds, each with a name. They run in a thread; rows come back as mappings."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, and_, or_, select, tuple_

from libs.read_tables import comment, issue, issue_sprint, jira_user, sprint, worklog
from services.graphql.reading.reader import Reader, Row

_ISSUE: Final = tuple(column for column in issue.c if column is not issue.c.payload)
"""Jira's own JSON stays where it is: no answer is made of it, and it is many times the size of the rest."""


class IssueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of issues is narrowed to; None does not narrow."""

    assignee: str | None = None
    status: str | None = None
    sprint: str | None = None
    updated_since: str | None = None
    text: str | None = None


class IssueQueries(Reader):
    """Issues, and what hangs on them."""

    def issue_by_id(self, issue_id: str) -> Row | None:
        """One issue by Jira's id."""
        return self._one(select(*_ISSUE).where(issue.c.issue_id == issue_id, self._seen_issue()))

    def issue_by_key(self, key: str) -> Row | None:
        """One issue by its current key."""
        return self._one(select(*_ISSUE).where(issue.c.key == key, self._seen_issue()))

    def issues_page(
        self, site: str, project_key: str, narrow: IssueFilter, after: tuple[str, ...] | None, limit: int
    ) -> list[Row]:
        """Issues of a project, the last changed first, after a keyset of (updated, id)."""
        query = select(*_ISSUE).where(issue.c.site == site, issue.c.project_key == project_key, self._seen_issue())
        if narrow.assignee is not None:
            query = query.where(issue.c.assignee_id == narrow.assignee)
        if narrow.status is not None:
            query = query.where(issue.c.status == narrow.status)
        if narrow.sprint is not None:
            planned = select(issue_sprint.c.issue_id).where(
                issue_sprint.c.site == site, issue_sprint.c.sprint_id == narrow.sprint
            )
            query = query.where(issue.c.issue_id.in_(planned))
        if narrow.updated_since is not None:
            query = query.where(issue.c.updated >= narrow.updated_since)
        if narrow.text is not None:
            query = query.where(
                or_(
                    issue.c.summary.icontains(narrow.text, autoescape=True),
                    issue.c.description.icontains(narrow.text, autoescape=True),
                    issue.c.key.icontains(narrow.text, autoescape=True),
                )
            )
        if after is not None:
            query = query.where(tuple_(issue.c.updated, issue.c.issue_id) < tuple_(*after))
        return self._rows(query.order_by(issue.c.updated.desc(), issue.c.issue_id.desc()).limit(limit))

    def comments_of_issues(self, issues: Sequence[tuple[str, str]]) -> list[Row]:
        """Comments of several issues, oldest first."""
        query = select(comment).where(tuple_(comment.c.site, comment.c.issue_id).in_(issues))
        return self._rows(query.order_by(comment.c.created, comment.c.comment_id))

    def worklogs_of_issues(self, issues: Sequence[tuple[str, str]]) -> list[Row]:
        """Worklogs of several issues, oldest first."""
        query = select(worklog).where(tuple_(worklog.c.site, worklog.c.issue_id).in_(issues))
        return self._rows(query.order_by(worklog.c.started, worklog.c.worklog_id))

    def users_by_account(self, accounts: Sequence[tuple[str, str]]) -> list[Row]:
        """Users by (site, account id)."""
        return self._rows(select(jira_user).where(tuple_(jira_user.c.site, jira_user.c.account_id).in_(accounts)))

    def sprints_by_id(self, sprints: Sequence[tuple[str, str]]) -> list[Row]:
        """Sprints by (site, sprint id)."""
        return self._rows(select(sprint).where(tuple_(sprint.c.site, sprint.c.sprint_id).in_(sprints)))

    def sprints_of_project(self, site: str, project_key: str) -> list[Row]:
        """Sprints of the project's boards and those its issues are planned in, by start."""
        planned = (
            select(issue_sprint.c.sprint_id)
            .join(issue, and_(issue.c.site == issue_sprint.c.site, issue.c.issue_id == issue_sprint.c.issue_id))
            .where(issue.c.site == site, issue.c.project_key == project_key)
        )
        query = select(sprint).where(
            sprint.c.site == site, or_(sprint.c.project_key == project_key, sprint.c.sprint_id.in_(planned))
        )
        return self._rows(query.order_by(sprint.c.start_date, sprint.c.sprint_id))

    def users(self, site: str | None = None, project_key: str | None = None) -> list[Row]:
        """Users by name; of a project, or of those that may be seen: those who have a part in the issues."""
        query = select(jira_user)
        if self._projects is not None or project_key is not None:
            own = [self._seen_issue()]
            if project_key is not None:
                own += [issue.c.site == site, issue.c.project_key == project_key]
            ids = select(issue.c.site, issue.c.issue_id).where(*own)
            parts = (
                select(issue.c.site, issue.c.assignee_id).where(*own),
                select(issue.c.site, issue.c.reporter_id).where(*own),
                select(comment.c.site, comment.c.author_id).where(tuple_(comment.c.site, comment.c.issue_id).in_(ids)),
                select(worklog.c.site, worklog.c.author_id).where(tuple_(worklog.c.site, worklog.c.issue_id).in_(ids)),
            )
            person = tuple_(jira_user.c.site, jira_user.c.account_id)
            query = query.where(or_(*(person.in_(part) for part in parts)))
        return self._rows(query.order_by(jira_user.c.display_name, jira_user.c.account_id))

    def _seen_issue(self) -> ColumnElement[bool]:
        return self._seen(issue.c.site, issue.c.project_key)
