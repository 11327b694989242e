"""The shapes that the projector writes and that GraphQL reads: SQLAlchemy Core tables, one module per group.

Neither service owns them; both see them. Nothing here reads events or knows how a row comes about. For every table:

- The key begins with the site, so that several sites share one database.
- A time is text in UTC with milliseconds, `2026-01-02T03:04:05.678Z`: it sorts like the time, and SQLite and PostgreSQL
  hold the same bytes. `NEVER` stands for "has not happened yet" where a column may not be null.
- `version` is the version of the newest event of that entity's stream the row was made of; `control_version` is the
  same for the project's control stream, where one row is made of two streams.
- A readable text may hold a `MENTION`: an account id, for which whoever shows the text puts the user's name.
- A row may point at one that is not there (yet): events of different entities come in any order. Only users are
  certain: each account that a row names has a row in `jira_user`.
"""

from libs.read_tables.alerts import alert, alert_silence
from libs.read_tables.columns import Moment
from libs.read_tables.generations import FOLDED, LIVE, beside
from libs.read_tables.issues import comment, former_key, hidden_comment, hidden_worklog, issue, issue_sprint, worklog
from libs.read_tables.migrate import (
    ReadTablesError,
    are_lost,
    create_all,
    is_broken,
    migrate,
    position_shown,
    probe,
    readiness,
    renew,
)
from libs.read_tables.notifications import notification, notification_alert
from libs.read_tables.progress import dead_letter, gone, projection
from libs.read_tables.projects import project, project_change, tracked_user
from libs.read_tables.proofs import (
    PROVED_ENTITIES,
    STALE_AFTER,
    Standing,
    census,
    completeness,
    quarantine,
    standing,
    standing_of_all,
)
from libs.read_tables.shape import needed, number
from libs.read_tables.sprints import sprint, sprint_project
from libs.read_tables.sync import schema_drift, sync_job, sync_log, sync_run, sync_state
from libs.read_tables.users import (
    ANONYMOUS,
    FORMER_USER,
    MENTION,
    NO_ACCOUNT,
    UNKNOWN_ACCOUNT,
    UNNAMED,
    jira_user,
    mention,
)
from libs.read_tables.version import NEVER, PROJECTION, VERSION, metadata

__all__ = [
    "ANONYMOUS",
    "FOLDED",
    "FORMER_USER",
    "LIVE",
    "MENTION",
    "NEVER",
    "NO_ACCOUNT",
    "PROJECTION",
    "PROVED_ENTITIES",
    "STALE_AFTER",
    "UNKNOWN_ACCOUNT",
    "UNNAMED",
    "VERSION",
    "Moment",
    "ReadTablesError",
    "Standing",
    "alert",
    "alert_silence",
    "are_lost",
    "beside",
    "census",
    "comment",
    "completeness",
    "create_all",
    "dead_letter",
    "former_key",
    "gone",
    "hidden_comment",
    "hidden_worklog",
    "is_broken",
    "issue",
    "issue_sprint",
    "jira_user",
    "mention",
    "metadata",
    "migrate",
    "needed",
    "notification",
    "notification_alert",
    "number",
    "position_shown",
    "probe",
    "project",
    "project_change",
    "projection",
    "quarantine",
    "readiness",
    "renew",
    "schema_drift",
    "sprint",
    "sprint_project",
    "standing",
    "standing_of_all",
    "sync_job",
    "sync_log",
    "sync_run",
    "sync_state",
    "tracked_user",
    "worklog",
]
