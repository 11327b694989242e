"""Every SELECT on how the syncs stand, each with a name; rows come back as mappings."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Select, Table, and_, outerjoin, select, tuple_

from libs.events import ProjectKey
from libs.read_tables import (
    former_key,
    gone,
    jira_user,
    project_change,
    schema_drift,
    sync_job,
    sync_log,
    sync_run,
    sync_state,
    tracked_user,
)
from services.graphql.reading.loaders import Key, Nested
from services.graphql.reading.reader import Reader, Row, of_project


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of log entries is narrowed to; None does not narrow."""

    levels: tuple[str, ...] | None = None
    entity: str | None = None
    run_id: str | None = None
    text: str | None = None
    before: int | None = None
    """Position: only what is older."""
    after: int | None = None
    """Position: only what is newer."""


class SyncQueries(Reader):
    """Jobs, states, runs, logs and settings."""

    async def sync_states(self, project: ProjectKey) -> list[Row]:
        """The state of each kind of entity of a project."""
        return await self._rows(self._of_project(sync_state, project).order_by(sync_state.c.entity))

    async def sync_states_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """The states of several projects, by (site, project key)."""
        return await self._rows(self._of_projects(sync_state, projects).order_by(sync_state.c.entity))

    async def sync_jobs(self) -> list[Row]:
        """The sync jobs of all registered projects."""
        seen = self._seen(sync_job.c.site, sync_job.c.project_key)
        return await self._rows(select(sync_job).where(seen).order_by(sync_job.c.site, sync_job.c.project_key))

    async def sync_jobs_of_projects(self, projects: Sequence[Key]) -> list[Row]:
        """The sync jobs of several projects, by (site, project key)."""
        return await self._rows(self._of_projects(sync_job, projects))

    async def sync_runs(self, project: ProjectKey, limit: int) -> list[Row]:
        """The last runs of a project, newest first."""
        query = self._of_project(sync_run, project)
        return await self._rows(query.order_by(sync_run.c.started_position.desc(), sync_run.c.run_id).limit(limit))

    async def project_changes(self, project: ProjectKey, limit: int, before: int | None) -> list[Row]:
        """What was decided about a project, newest first, from before a position on."""
        query = self._of_project(project_change, project)
        if before is not None:
            query = query.where(project_change.c.position < before)
        return await self._rows(query.order_by(project_change.c.position.desc()).limit(limit))

    async def tracked_users(self, project: ProjectKey) -> list[Row]:
        """The watch list; those whom no row of Jira's users describes have no name."""
        whom = and_(jira_user.c.site == tracked_user.c.site, jira_user.c.account_id == tracked_user.c.account_id)
        described = [column for column in jira_user.c if column.name not in ("site", "account_id")]
        query = (
            select(tracked_user.c.site, tracked_user.c.account_id, *described)
            .select_from(outerjoin(tracked_user, jira_user, whom))
            .where(of_project(tracked_user, project))
            .where(self._seen(tracked_user.c.site, tracked_user.c.project_key))
        )
        return await self._rows(query.order_by(jira_user.c.display_name, tracked_user.c.account_id))

    async def absences(self, project: ProjectKey, limit: int, after: tuple[str, ...] | None) -> list[Row]:
        """What is gone of a project, the latest first, behind a keyset of (time, kind, id)."""
        keyset = (gone.c.gone_at, gone.c.kind, gone.c.entity_id)
        last_key = (
            select(former_key.c.key)
            .where(former_key.c.site == gone.c.site, former_key.c.issue_id == gone.c.entity_id, gone.c.kind == "issue")
            .order_by(former_key.c.version.desc(), former_key.c.key)
            .limit(1)
            .scalar_subquery()
        )
        query = self._of_project(gone, project).add_columns(last_key.label("last_key"))
        if after is not None:
            query = query.where(tuple_(*keyset) < tuple_(*after))
        return await self._rows(query.order_by(*(column.desc() for column in keyset)).limit(limit))

    async def schema_drifts(self, project: ProjectKey, limit: int, before: int | None) -> list[Row]:
        """Fields of a project's answers that changed, the last first, from before a position on."""
        query = self._of_project(schema_drift, project)
        if before is not None:
            query = query.where(schema_drift.c.position < before)
        return await self._rows(query.order_by(schema_drift.c.position.desc()).limit(limit))

    async def sync_logs(self, project: ProjectKey, limit: int, narrow: LogFilter | None = None) -> list[Row]:
        """Log entries of a project, newest first."""
        query = self._logs(project, narrow or LogFilter())
        return await self._rows(query.order_by(sync_log.c.position.desc()).limit(limit))

    async def sync_logs_since(self, project: ProjectKey, after: int, limit: int) -> list[Row]:
        """The log entries behind a position, oldest first."""
        query = self._logs(project, LogFilter(after=after))
        return await self._rows(query.order_by(sync_log.c.position).limit(limit))

    def _logs(self, project: ProjectKey, narrow: LogFilter) -> Select[tuple[object, ...]]:
        query = self._of_project(sync_log, project)
        if narrow.levels is not None:
            query = query.where(sync_log.c.level.in_(narrow.levels))
        if narrow.entity is not None:
            query = query.where(sync_log.c.entity == narrow.entity)
        if narrow.run_id is not None:
            query = query.where(sync_log.c.run_id == narrow.run_id)
        if narrow.text is not None:
            query = query.where(sync_log.c.message.icontains(narrow.text, autoescape=True))
        if narrow.before is not None:
            query = query.where(sync_log.c.position < narrow.before)
        if narrow.after is not None:
            query = query.where(sync_log.c.position > narrow.after)
        return query

    def _of_project(self, table: Table, project: ProjectKey) -> Select[tuple[object, ...]]:
        seen = self._seen(table.c.site, table.c.project_key)
        return select(table).where(of_project(table, project), seen)

    def _of_projects(self, table: Table, projects: Sequence[Key]) -> Select[tuple[object, ...]]:
        seen = self._seen(table.c.site, table.c.project_key)
        return select(table).where(tuple_(table.c.site, table.c.project_key).in_(projects), seen)


JOB: Final = Nested(SyncQueries, SyncQueries.sync_jobs_of_projects, "project_key")
STATES: Final = Nested(SyncQueries, SyncQueries.sync_states_of_projects, "project_key")
