"""Every SELECT of the API, each with a name. They run in a thread; rows come back as mappings."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, Select, and_, event, or_, select, tuple_
from sqlalchemy.exc import DataError

from libs.read_tables import (
    comment,
    issue,
    issue_sprint,
    jira_user,
    project,
    sprint,
    sync_job,
    sync_log,
    sync_state,
    worklog,
)

Row = Mapping[str, Any]


_ISSUE: Final = tuple(column for column in issue.c if column is not issue.c.payload)
"""Jira's own JSON stays where it is: no answer is made of it, and it is many times the size of the rest."""


class IssueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of issues is narrowed to; None does not narrow."""

    assignee: str | None = None
    status: str | None = None
    sprint: str | None = None
    updated_since: str | None = None
    text: str | None = None


class Queries:
    """The read tables, as the API asks for them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        if engine.dialect.name == "sqlite":
            event.listen(engine, "checkout", _fold_case)

    def _rows(self, query: Select[Any]) -> list[Row]:
        try:
            with self._engine.connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except DataError as error:
            # PostgreSQL takes no text with a NUL in it, SQLite does; no stored text has one, so nothing matches.
            if isinstance(error.params, Mapping) and any("\x00" in str(value) for value in error.params.values()):
                return []
            raise

    def projects(self) -> list[Row]:
        """Registered projects, by key."""
        return self._rows(select(project).order_by(project.c.key, project.c.site))

    def project_by_id_or_key(self, wanted: str) -> Row | None:
        """A registered project by Jira's id, by key, or by `<site>:<key>` where two sites share a key."""
        site, colon, key = wanted.partition(":")
        name = and_(project.c.site == site, project.c.key == key) if colon else project.c.key == wanted
        query = select(project).where(or_(project.c.project_id == wanted, name)).order_by(project.c.site).limit(1)
        return next(iter(self._rows(query)), None)

    def issue_by_id(self, issue_id: str) -> Row | None:
        """One issue by Jira's id."""
        return next(iter(self._rows(select(*_ISSUE).where(issue.c.issue_id == issue_id).limit(1))), None)

    def issue_by_key(self, key: str) -> Row | None:
        """One issue by its current key."""
        return next(iter(self._rows(select(*_ISSUE).where(issue.c.key == key).limit(1))), None)

    def issues_page(
        self, site: str, project_key: str, narrow: IssueFilter, after: tuple[str, ...] | None, limit: int
    ) -> list[Row]:
        """Issues of a project, the last changed first, after a keyset of (updated, id)."""
        query = select(*_ISSUE).where(issue.c.site == site, issue.c.project_key == project_key)
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

    def users_of_site(self, site: str | None, project_key: str | None) -> list[Row]:
        """Users by name; of a project: those who have a part in its issues."""
        query = select(jira_user)
        if site is not None:
            query = query.where(jira_user.c.site == site)
        if project_key is not None:
            own = select(issue.c.issue_id).where(issue.c.site == site, issue.c.project_key == project_key)
            parts = (
                select(issue.c.assignee_id).where(issue.c.site == site, issue.c.project_key == project_key),
                select(issue.c.reporter_id).where(issue.c.site == site, issue.c.project_key == project_key),
                select(comment.c.author_id).where(comment.c.site == site, comment.c.issue_id.in_(own)),
                select(worklog.c.author_id).where(worklog.c.site == site, worklog.c.issue_id.in_(own)),
            )
            query = query.where(or_(*(jira_user.c.account_id.in_(part) for part in parts)))
        return self._rows(query.order_by(jira_user.c.display_name, jira_user.c.account_id))

    def sync_states(self, site: str, project_key: str) -> list[Row]:
        """The state of each kind of entity of a project."""
        query = select(sync_state).where(sync_state.c.site == site, sync_state.c.project_key == project_key)
        return self._rows(query.order_by(sync_state.c.entity))

    def sync_states_of_projects(self, projects: Sequence[tuple[str, str]]) -> list[Row]:
        """The states of several projects, by (site, project key)."""
        query = select(sync_state).where(tuple_(sync_state.c.site, sync_state.c.project_key).in_(projects))
        return self._rows(query.order_by(sync_state.c.entity))

    def sync_jobs(self) -> list[Row]:
        """The sync jobs of all projects."""
        return self._rows(select(sync_job).order_by(sync_job.c.site, sync_job.c.project_key))

    def sync_jobs_of_projects(self, projects: Sequence[tuple[str, str]]) -> list[Row]:
        """The sync jobs of several projects, by (site, project key)."""
        return self._rows(select(sync_job).where(tuple_(sync_job.c.site, sync_job.c.project_key).in_(projects)))

    def sync_logs(self, site: str, project_key: str, limit: int) -> list[Row]:
        """The last log entries of a project, newest first."""
        query = select(sync_log).where(sync_log.c.site == site, sync_log.c.project_key == project_key)
        return self._rows(query.order_by(sync_log.c.position.desc()).limit(limit))


def _fold_case(connection: sqlite3.Connection, _record: Any, _proxy: Any) -> None:
    """SQLite's own `lower` knows ASCII only: searching for "über" would not find "Über"."""
    connection.create_function("lower", 1, lambda text: text.lower() if text else text, deterministic=True)
