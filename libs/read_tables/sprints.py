"""Sprints, and the projects that they belong to."""

from typing import Final

from sqlalchemy import Table

from libs.read_tables.columns import key, optional, optional_text, optional_time, string, version
from libs.read_tables.version import metadata

sprint: Final = Table(
    "sprint",
    metadata,
    key("site"),
    key("sprint_id"),
    optional("board_id"),  # the board it was made on
    string("name"),
    string("state"),  # active, future, closed
    optional_text("goal"),
    optional_time("start_date"),
    optional_time("end_date"),
    optional_time("complete_date"),
    version(),  # 0: only issues name it, as the last of them shows it
)

# A sprint may stand on boards of several projects.
sprint_project: Final = Table(
    "sprint_project",
    metadata,
    key("site"),
    key("project_key"),  # of a registration whose boards list it, or that has fetched it
    key("sprint_id"),
    sqlite_with_rowid=False,  # the key is the whole row
)
