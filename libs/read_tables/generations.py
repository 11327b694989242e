"""A second set of the tables under other names, for a rebuild that takes place beside the one that is being read."""

import functools
from collections.abc import Mapping
from typing import Final

from sqlalchemy import MetaData, Table
from sqlalchemy.sql.elements import quoted_name

from libs.read_tables import alerts, issues, notifications, progress, projects, proofs, sprints, sync, users
from libs.read_tables.version import metadata

FOLDED: Final = tuple(
    table.name
    for table in (
        users.jira_user,
        projects.project,
        projects.tracked_user,
        projects.project_change,
        issues.issue,
        issues.issue_sprint,
        issues.former_key,
        issues.comment,
        issues.worklog,
        issues.hidden_comment,
        issues.hidden_worklog,
        sprints.sprint,
        sprints.sprint_project,
        sync.sync_state,
        sync.sync_job,
        sync.sync_run,
        sync.sync_log,
        sync.schema_drift,
        alerts.alert,
        alerts.alert_silence,
        notifications.notification,
        notifications.notification_alert,
        proofs.census,
        proofs.completeness,
        proofs.quarantine,
        progress.gone,
        progress.dead_letter,
    )
)
"""The names of all tables that are made of events alone: everything but `projection`."""

LIVE: Final[Mapping[str, Table]] = {name: metadata.tables[name] for name in FOLDED}
"""Those that readers read, by name."""


@functools.lru_cache(maxsize=1)
def beside(generation: int) -> Mapping[str, Table]:
    """The tables of one generation: live name -> the same table named `<name>__g<generation>`, indexes included.

    Index names are unique in a whole database and survive the rename of their table, so they carry the generation too.
    """
    aside = MetaData()
    suffix = f"__g{generation}"
    tables = {name: metadata.tables[name].to_metadata(aside, name=f"{name}{suffix}") for name in FOLDED}
    for table in tables.values():
        for index in table.indexes:
            index.name = quoted_name(f"{index.name}{suffix}", quote=None)
    return tables
