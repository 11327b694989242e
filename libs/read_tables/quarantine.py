"""What could not be read of Jira's answers and is set aside."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import flag, key, optional, optional_text, position, string, text, time, version
from libs.read_tables.version import metadata

quarantine: Final = Table(
    "quarantine",
    metadata,
    key("site"),
    key("project_key"),
    key("record"),  # names it within the project: issue/10001/comment 7
    string("kind"),  # issue, comment, worklog, sprint, user, board, field, project; of a list, what it lists
    text("name"),  # what people call it
    optional("issue_id"),  # the issue that it is, or belongs to
    optional("issue_key"),
    text("field"),  # the place in it that could not be read; empty: the whole
    text("why"),
    optional_text("raw"),  # as Jira showed it; null for a list that could not be had
    flag("asked_again"),  # by the next runs; else a later answer brings it by itself
    string("run_id"),  # the last that told of it
    time("since"),
    position("since_position"),  # of the first event since it was last released: the order of records
    version(),
    Index("quarantine_by_project", "site", "project_key", "since_position"),
)
