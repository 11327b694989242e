"""Registered projects and whom they track."""

from typing import Final

from sqlalchemy import Table

from libs.read_tables.columns import key, optional, optional_time, string, version
from libs.read_tables.version import metadata

project: Final = Table(
    "project",
    metadata,
    key("site"),
    key("key"),  # as registered; Jira may have renamed it since
    optional("project_id"),  # null until first fetched
    string("name"),  # the key until first fetched
    optional_time("registered_at"),
    version(),
    version("control_version"),
)

tracked_user: Final = Table("tracked_user", metadata, key("site"), key("project_key"), key("account_id"))
