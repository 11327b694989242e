"""How the syncs of a project stand: per entity, as a job, as a log."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import (
    key,
    number,
    optional,
    optional_number,
    optional_seconds,
    optional_text,
    optional_time,
    position,
    string,
    text,
    time,
    version,
)
from libs.read_tables.version import metadata

sync_state: Final = Table(
    "sync_state",
    metadata,
    key("site"),
    key("project_key"),
    key("entity"),  # issue, comment, worklog, sprint, user
    string("status"),  # IDLE, RUNNING, SUCCESS, FAILED
    time("last_sync_time"),  # of the last success; NEVER before it
    optional_time("watermark"),  # changes before it are all stored
    number("rows"),  # seen by the last successful run
    optional("error_code"),  # of the last failure; null again after a success
    optional_text("error_message"),
    optional_text("error_advice"),
    optional("error_severity"),
    optional_text("error_docs"),
    optional_time("error_since"),  # the first failure since the last success
    number("error_attempts"),  # runs in a row that failed, however they did
    optional("run_id"),
    version(),
)

sync_job: Final = Table(
    "sync_job",
    metadata,
    key("site"),
    key("project_key"),
    string("schedule_id"),
    string("workflow_id"),
    string("cron"),
    string("timezone"),
    string("status"),  # ACTIVE, PAUSED, ERROR
    optional_time("paused_at"),
    optional("paused_by"),
    optional_text("pause_reason"),
    optional_time("last_run_at"),
    optional_time("last_ended_at"),
    optional("last_result"),  # SUCCESS, ERROR, CANCELLED
    optional("current_run_id"),  # null when nothing runs
    number("pages_done"),  # of the current or last run
    optional_number("pages_total"),
    optional("waiting_run_id"),  # of the run that waits, also one that has not begun; null when none does
    optional("waiting_step"),  # prepare, page, look-ups, watch list
    optional("waiting_code"),  # as of a failure
    optional_text("waiting_message"),
    optional_time("waiting_until"),  # may be over: the step then tries again
    number("backoff_level"),  # 0: it runs by its cron
    optional("backoff_code"),
    number("backoff_failures"),
    number("backoff_seconds"),  # from one run to the next
    optional_time("backoff_anchor"),  # runs come at this moment and n times the seconds
    optional_time("backoff_since"),
    number("stretch_seconds"),  # from one run to the next while webhooks are alive; 0: it runs by its cron
    optional_time("stretch_anchor"),  # as of the backoff, which goes before it
    optional("trace"),  # W3C traceparent of the event that changed the project last
    version(),  # of the sync stream; what the control stream decides is guarded by `project.control_version`
)

sync_run: Final = Table(
    "sync_run",
    metadata,
    key("site"),
    key("run_id"),
    string("project_key"),
    optional("mode"),  # FULL, INCREMENTAL; null when it failed before it could decide
    text("reason"),
    string("result"),  # RUNNING, SUCCESS, ERROR, CANCELLED
    optional_time("started_at"),
    optional_time("ended_at"),
    optional_seconds("seconds"),
    number("pages_done"),
    optional_number("pages_total"),
    number("issues"),  # rows read; while it runs, those of the pages so far
    number("comments"),
    number("worklogs"),
    number("sprints"),
    number("users"),
    number("appended"),
    number("requests"),
    text("warnings"),  # JSON
    number("quarantined"),  # records of the project that were set aside when it ended well
    text("quarantine"),  # JSON: the first of those that people should know of
    number("late"),  # changes that Jira's search showed later than it should have
    optional_seconds("latest_seconds"),  # how late the latest of them was
    optional_seconds("overlap_seconds"),  # how far the next runs look back because of that
    optional("error_code"),
    optional_text("error_message"),
    optional_text("error_advice"),
    optional("error_severity"),
    optional_text("error_docs"),
    optional_text("error_details"),  # JSON
    optional_number("attempts"),
    position("started_position"),  # of its first event: the order of runs
    version(),  # of the sync stream
    Index("sync_run_by_project", "site", "project_key", "started_position"),
)

sync_log: Final = Table(
    "sync_log",
    metadata,
    key("site"),
    position(primary_key=True, autoincrement=False),
    string("project_key"),
    string("level"),  # DEBUG, INFO, WARNING, ERROR
    text("message"),
    optional_text("details"),  # JSON
    optional("entity"),
    optional("run_id"),
    time("created_at"),
    optional("trace"),  # W3C traceparent of its event
    Index("sync_log_by_project", "site", "project_key", "position"),
)

schema_drift: Final = Table(
    "schema_drift",
    metadata,
    key("site"),
    position(primary_key=True, autoincrement=False),
    string("project_key"),
    string("run_id"),
    string("change"),
    string("field_id"),
    string("field_name"),  # empty when not known
    optional_text("before"),
    optional_text("after"),
    time("at"),
    Index("schema_drift_by_project", "site", "project_key", "position"),
)
