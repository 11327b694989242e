"""Every SELECT on how the syncs stand, each with a name. They run in a thread; rows come back as mappings."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Select, Table, and_, outerjoin, select, tuple_

from libs.read_tables import (
    PROJECTION,
    gone,
    jira_user,
    project,
    project_change,
    projection,
    sync_job,
    sync_log,
    sync_run,
    sync_state,
    tracked_user,
)
from services.graphql.reading.reader import Reader, Row


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


class Versions(msgspec.Struct, frozen=True):
    """How far the read tables are, and the versions of each registered project's rows."""

    position: int
    of: dict[tuple[str, str], tuple[int, ...]]
    alerts: int = 0
    """Position of the last event that changed an alert or told of one."""
    traces: dict[tuple[str, str], str | None] = {}
    """In which each project was last changed, as a traceparent."""


class SyncQueries(Reader):
    """Jobs, states, runs, logs and settings."""

    def sync_states(self, site: str, project_key: str) -> list[Row]:
        """The state of each kind of entity of a project."""
        return self._rows(self._of_project(sync_state, site, project_key).order_by(sync_state.c.entity))

    def sync_states_of_projects(self, projects: Sequence[tuple[str, str]]) -> list[Row]:
        """The states of several projects, by (site, project key)."""
        return self._rows(self._of_projects(sync_state, projects).order_by(sync_state.c.entity))

    def sync_jobs(self) -> list[Row]:
        """The sync jobs of all registered projects."""
        seen = self._seen(sync_job.c.site, sync_job.c.project_key)
        return self._rows(select(sync_job).where(seen).order_by(sync_job.c.site, sync_job.c.project_key))

    def sync_jobs_of_projects(self, projects: Sequence[tuple[str, str]]) -> list[Row]:
        """The sync jobs of several projects, by (site, project key)."""
        return self._rows(self._of_projects(sync_job, projects))

    def sync_runs(self, site: str, project_key: str, limit: int) -> list[Row]:
        """The last runs of a project, newest first."""
        query = self._of_project(sync_run, site, project_key)
        return self._rows(query.order_by(sync_run.c.started_position.desc(), sync_run.c.run_id).limit(limit))

    def project_changes(self, site: str, project_key: str, limit: int, before: int | None) -> list[Row]:
        """What was decided about a project, newest first, from before a position on."""
        query = self._of_project(project_change, site, project_key)
        if before is not None:
            query = query.where(project_change.c.position < before)
        return self._rows(query.order_by(project_change.c.position.desc()).limit(limit))

    def tracked_users(self, site: str, project_key: str) -> list[Row]:
        """The watch list; those whom no row of Jira's users describes have no name."""
        whom = and_(jira_user.c.site == tracked_user.c.site, jira_user.c.account_id == tracked_user.c.account_id)
        described = [column for column in jira_user.c if column.name not in ("site", "account_id")]
        query = (
            select(tracked_user.c.site, tracked_user.c.account_id, *described)
            .select_from(outerjoin(tracked_user, jira_user, whom))
            .where(tracked_user.c.site == site, tracked_user.c.project_key == project_key)
            .where(self._seen(tracked_user.c.site, tracked_user.c.project_key))
        )
        return self._rows(query.order_by(jira_user.c.display_name, tracked_user.c.account_id))

    def absences(self, site: str, project_key: str, limit: int, after: tuple[str, ...] | None) -> list[Row]:
        """What is gone of a project, the latest first, behind a keyset of (time, kind, id)."""
        keyset = (gone.c.gone_at, gone.c.kind, gone.c.entity_id)
        query = self._of_project(gone, site, project_key)
        if after is not None:
            query = query.where(tuple_(*keyset) < tuple_(*after))
        return self._rows(query.order_by(*(column.desc() for column in keyset)).limit(limit))

    def sync_logs(self, site: str, project_key: str, limit: int, narrow: LogFilter | None = None) -> list[Row]:
        """Log entries of a project, newest first."""
        query = self._logs(site, project_key, narrow or LogFilter())
        return self._rows(query.order_by(sync_log.c.position.desc()).limit(limit))

    def sync_logs_since(self, site: str, project_key: str, after: int, limit: int) -> list[Row]:
        """The log entries behind a position, oldest first."""
        query = self._logs(site, project_key, LogFilter(after=after))
        return self._rows(query.order_by(sync_log.c.position).limit(limit))

    def position(self) -> int:
        """The position in the event log that the read tables show."""
        row = self._one(select(projection.c.position).where(projection.c.name == PROJECTION))
        return 0 if row is None else int(row["position"])

    def versions(self) -> Versions:
        """Position and versions, read one after the other: what changes between is seen the next time."""
        position = self.position()
        query = (
            select(
                project.c.site,
                project.c.key,
                sync_job.c.trace,
                project.c.version,
                project.c.control_version,
                sync_job.c.version,
            )
            .select_from(project)
            .join(sync_job, and_(sync_job.c.site == project.c.site, sync_job.c.project_key == project.c.key))
            .where(project.c.registered, self._allowed(project.c.site, project.c.key))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        found = {(row[0], row[1]): tuple(row[3:]) for row in rows}
        return Versions(position, found, traces={(row[0], row[1]): row[2] for row in rows})

    def _logs(self, site: str, project_key: str, narrow: LogFilter) -> Select[tuple[object, ...]]:
        query = self._of_project(sync_log, site, project_key)
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

    def _of_project(self, table: Table, site: str, project_key: str) -> Select[tuple[object, ...]]:
        seen = self._seen(table.c.site, table.c.project_key)
        return select(table).where(table.c.site == site, table.c.project_key == project_key, seen)

    def _of_projects(self, table: Table, projects: Sequence[tuple[str, str]]) -> Select[tuple[object, ...]]:
        seen = self._seen(table.c.site, table.c.project_key)
        return select(table).where(tuple_(table.c.site, table.c.project_key).in_(projects), seen)
