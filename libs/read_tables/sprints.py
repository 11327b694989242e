"""Sprints."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import key, optional, optional_text, optional_time, string, version
from libs.read_tables.version import metadata

sprint: Final = Table(
    "sprint",
    metadata,
    key("site"),
    key("sprint_id"),
    string("project_key"),  # of the registration that fetched it last
    optional("board_id"),  # the board it was made on
    string("name"),
    string("state"),  # active, future, closed
    optional_text("goal"),
    optional_time("start_date"),
    optional_time("end_date"),
    optional_time("complete_date"),
    version(),  # 0: only issues name it, as the last of them shows it
    Index("sprint_by_project", "site", "project_key"),
)
