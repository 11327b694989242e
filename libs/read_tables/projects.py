"""Registered projects and whom they track."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import (
    flag,
    key,
    optional,
    optional_text,
    optional_time,
    position,
    string,
    text,
    time,
    version,
)
from libs.read_tables.version import metadata

project: Final = Table(
    "project",
    metadata,
    key("site"),
    key("key"),  # as registered
    optional("jira_key"),  # as Jira calls it now; null until first fetched
    optional("project_id"),  # null until first fetched
    string("name"),  # the key until first fetched
    flag("registered"),  # false: not synced and not shown any more
    optional_time("registered_at"),
    version(),
    version("control_version"),
)

project_change: Final = Table(
    "project_change",
    metadata,
    key("site"),
    position(primary_key=True, autoincrement=False),
    string("project_key"),
    string("kind"),  # REGISTERED, UNREGISTERED, WATCH_LIST, SCHEDULE, PAUSED, RESUMED, SYNC_REQUESTED, BACKOFF, …
    string("actor"),
    optional_text("reason"),
    text("summary"),  # what was decided, as a sentence
    optional_text("details"),  # JSON
    time("at"),
    Index("project_change_by_project", "site", "project_key", "position"),
)

tracked_user: Final = Table("tracked_user", metadata, key("site"), key("project_key"), key("account_id"))
