"""Jira's users."""

from typing import Final

from sqlalchemy import Table

from libs.read_tables.columns import flag, key, optional, string, version
from libs.read_tables.version import metadata

UNKNOWN_ACCOUNT: Final = "unknown"
"""Stands for every author that Jira does not name: deleted accounts, corrupted records. Each site has such a row."""

jira_user: Final = Table(
    "jira_user",
    metadata,
    key("site"),
    key("account_id"),
    string("display_name"),
    flag("active"),
    string("account_type"),  # atlassian, app, customer, unknown
    optional("avatar_url"),
    version(),  # 0: named by other rows, not fetched yet
)
