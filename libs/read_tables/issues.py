"""Issues, and what hangs on one: comments, worklogs, membership in sprints, former keys."""

from typing import Final

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from libs.read_tables.columns import (
    key,
    number,
    optional,
    optional_text,
    optional_time,
    string,
    text,
    time,
    version,
)
from libs.read_tables.version import metadata

issue: Final = Table(
    "issue",
    metadata,
    key("site"),
    key("issue_id"),
    string("project_key"),  # of the registration that fetched it
    string("key"),
    string("summary"),
    optional_text("description"),  # readable text, never ADF
    string("status"),
    optional("status_category"),  # new, indeterminate, done
    optional("priority"),
    optional("issue_type"),
    optional("assignee_id"),
    optional("reporter_id"),
    optional("sprint_id"),  # the current one: active, else the first future, else the last closed
    time("created"),
    time("updated"),
    version(),
    Index("issue_by_project", "site", "project_key", "updated", "issue_id"),
    Index("issue_by_key", "site", "key"),
)

issue_sprint: Final = Table(
    "issue_sprint",
    metadata,
    string("site"),
    string("issue_id"),
    string("sprint_id"),
    number("place"),  # in the order of Jira's sprint field, from 0
    optional("state"),  # as the issue said it, lower case; the sprint's own row knows better
    # The site last but one: without statistics SQLite takes any key that begins with the site for selective, and would
    # read all of a site's rows to find those of a sprint.
    PrimaryKeyConstraint("issue_id", "site", "sprint_id"),
    Index("issue_sprint_by_sprint", "sprint_id", "site", "state", "issue_id"),
    sqlite_with_rowid=False,  # the key is nearly the whole row
)

former_key: Final = Table(
    "former_key",
    metadata,
    string("site"),
    string("key"),  # under which the issue was seen, and which is not the one that it shows now
    string("issue_id"),
    time("updated"),  # the issue's own, when it was seen last under this key
    version(),  # of the issue's stream, then
    PrimaryKeyConstraint("key", "site", "issue_id"),  # people look a key up without naming the site
    Index("former_key_by_issue", "site", "issue_id"),
    sqlite_with_rowid=False,  # the key is nearly the whole row
)


def _comment_columns() -> "list[Column[str] | Column[str | None] | Column[int]]":
    return [
        key("site"),
        key("comment_id"),
        string("issue_id"),
        string("author_id"),
        text("body"),  # readable text, never ADF
        time("created"),
        time("updated"),
        version(),
    ]


def _worklog_columns() -> "list[Column[str] | Column[str | None] | Column[int]]":
    return [
        key("site"),
        key("worklog_id"),
        string("issue_id"),
        string("author_id"),
        number("time_spent_seconds"),
        optional_text("comment"),  # readable text, never ADF
        optional_time("started"),
        time("created"),
        time("updated"),
        version(),
    ]


comment: Final = Table("comment", metadata, *_comment_columns(), Index("comment_by_issue", "site", "issue_id"))

worklog: Final = Table("worklog", metadata, *_worklog_columns(), Index("worklog_by_issue", "site", "issue_id"))

# Where the comments and worklogs of an absent issue wait. Readers never look here. An issue may come back
# (permission restored, user tracked again), and its unchanged comments are not recorded a second time: they must not be
# lost.
hidden_comment: Final = Table(
    "hidden_comment", metadata, *_comment_columns(), Index("hidden_comment_by_issue", "site", "issue_id")
)
hidden_worklog: Final = Table(
    "hidden_worklog", metadata, *_worklog_columns(), Index("hidden_worklog_by_issue", "site", "issue_id")
)
