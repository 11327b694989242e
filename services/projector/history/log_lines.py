"""What a person reads in the sync log: one line per event of a project's syncs and of what people decide."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from libs.events import (
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SchemaDriftDetected,
    SyncCancelled,
    SyncFailed,
    SyncMode,
    SyncPageRecorded,
    SyncRequested,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
    TrackedUsersChanged,
)
from services.projector.history.alert_lines import ALERT_LINES
from services.projector.history.census_lines import CENSUS_LINES
from services.projector.history.line import Line, because, count, picked
from services.projector.history.quarantine_lines import QUARANTINE_LINES
from services.projector.tables.rows import Row
from services.projector.tables.text import json_text, storable
from services.projector.tables.times import stamp

FAILURE_DETAILS: Final = (
    *("code", "origin", "severity", "category", "retryable", "scope", "fingerprint", "advice", "docs", "evidence"),
    *("attempts", "mode", "pages_recorded", "seconds"),
)


def log_row(recorded: Recorded) -> Row | None:
    """The row of `sync_log` for an event; None for events that it does not show."""
    event = recorded.event
    line_of = LINES.get(type(event))
    if line_of is None:
        return None
    line = line_of(event)
    return {
        "site": event.site,
        "position": recorded.position,
        "project_key": event.project,
        "level": line.level,
        "message": storable(line.message),
        "details": json_text(line.details) if line.details else None,
        "entity": None,
        "run_id": getattr(event, "run_id", None),
        "created_at": stamp(event.occurred_at),
        "trace": event.trace,
    }


def _started(event: SyncStarted) -> Line:
    scope = "all issues" if event.since is None else f"changes since {stamp(event.since)}"
    kind = "Full sync" if event.mode is SyncMode.FULL else "Sync"
    why = f" ({event.reason})" if event.reason else ""
    return Line("INFO", f"{kind} of {event.project} started: {scope}{why}.", {"mode": event.mode})


def _page(event: SyncPageRecorded) -> Line:
    message = f"{_page_name(event)} stored: {_counts(event)}; {count(event.appended, 'change')} recorded."
    if not event.warnings:
        return Line("DEBUG", message, {"appended": event.appended})
    return Line("WARNING", f"{message} {' '.join(event.warnings)}", {"warnings": event.warnings})


def _page_name(event: SyncPageRecorded) -> str:
    if event.page < 0:
        return "Issues that earlier syncs could not read completely,"
    total = "" if event.pages_total is None else f" of {event.pages_total}"
    return f"Page {event.page + 1}{total}"


def _waiting(event: SyncWaiting) -> Line:
    message = f"Sync of {event.project} waits until {_clock(event.until, event.occurred_at)}: {event.message}"
    details = picked(event, "code", "step")
    return Line("WARNING", f"{message.rstrip('.')}.", {**details, "until": stamp(event.until)})


def _clock(moment: datetime, read_at: datetime) -> str:
    """A moment in UTC to the minute, with the date where it is another day's than the reader's."""
    moment, read_at = moment.astimezone(UTC), read_at.astimezone(UTC)
    return f"{moment:%H:%M} UTC" if moment.date() == read_at.date() else f"{moment:%Y-%m-%d %H:%M} UTC"


def _succeeded(event: SyncSucceeded) -> Line:
    message = (
        f"Sync of {event.project} finished in {event.seconds:.1f} s: {_counts(event)}; "
        f"{count(event.appended, 'change')} recorded with {count(event.requests, 'request')}."
    )
    details = {**picked(event, "mode", "requests", "seconds", "warnings", "quarantined", "quarantine")}
    if event.began_at is not None:
        details["began_at"] = stamp(event.began_at)
    if event.quarantined:
        message += f" Set aside: {count(event.quarantined, 'record')}."
    if not event.warnings:
        return Line("INFO", message, details)
    return Line("WARNING", f"{message} {count(len(event.warnings), 'warning')}: {' '.join(event.warnings)}", details)


def _failed(event: SyncFailed) -> Line:
    message = f"Sync of {event.project} failed: {event.message} {event.advice}".rstrip()
    return Line("ERROR", f"{message} {_kept(event.pages_recorded)}", picked(event, *FAILURE_DETAILS))


def _kept(pages: int) -> str:
    """Whether anything was stored before it failed."""
    if pages == 0:
        return "Nothing was stored."
    return "1 page was stored and stays." if pages == 1 else f"{pages:,} pages were stored and stay."


def _cancelled(event: SyncCancelled) -> Line:
    why = f": {event.reason}" if event.reason else ""
    kept = f" What was read is kept ({count(event.pages_recorded, 'page')})." if event.pages_recorded else ""
    return Line("INFO", f"Sync of {event.project} was cancelled{why}.{kept}", {})


def _drift(event: SchemaDriftDetected) -> Line:
    details = picked(event, "change", "field_id", "field_name", "before", "after")
    return Line("WARNING", _drift_message(event), details)


def _drift_message(event: SchemaDriftDetected) -> str:
    if event.field_id.startswith("$"):
        shape = f"{event.before or 'something else'} is documented, {event.after or 'nothing of it'} came"
        return f"Jira's answer to {event.field_name or 'a call'} has another shape at {event.field_id}: {shape}."
    field = f"{event.field_name} ({event.field_id})" if event.field_name else event.field_id
    messages = {
        "APPEARED": f"Jira has a new field: {field}, {event.after}.",
        "VANISHED": f"Jira's field {field} is gone; it was {event.before}.",
        "TYPE_CHANGED": f"Jira's field {field} has another type: {event.before} before, {event.after} now.",
        "RENAMED": f"Jira's field {event.field_id} has another name: {event.before} before, {event.after} now.",
    }
    return messages.get(event.change, f"Jira's field {field} changed ({event.change}).")


def _registered(event: ProjectRegistered) -> Line:
    message = f"Project {event.key} was registered by {event.cause}; it syncs on {event.cron} ({event.timezone})."
    return Line("INFO", message, {})


def _unregistered(event: ProjectUnregistered) -> Line:
    return Line("INFO", f"{event.cause} unregistered the project{because(event.reason)}.", {})


def _tracked(event: TrackedUsersChanged) -> Line:
    scope = f"{count(len(event.account_ids), 'user')}" if event.account_ids else "everybody"
    message = f"{event.cause} changed the watch list: {event.project} now tracks {scope}{because(event.reason)}."
    return Line("INFO", message, picked(event, "added", "removed"))


def _schedule(event: ScheduleChanged) -> Line:
    message = f"{event.cause} changed the schedule to {event.cron} ({event.timezone}){because(event.reason)}."
    return Line("INFO", message, {"revision": event.revision})


def _paused(event: SchedulePaused) -> Line:
    return Line("WARNING", f"{event.cause} paused the schedule{because(event.reason)}.", {})


def _resumed(event: ScheduleResumed) -> Line:
    return Line("INFO", f"{event.cause} resumed the schedule{because(event.reason)}.", {})


def _requested(event: SyncRequested) -> Line:
    kind = "a full sync" if event.full else "a sync"
    scope = f" for {count(len(event.account_ids), 'user')}" if event.account_ids else ""
    message = f"{event.cause} asked for {kind}{scope}{because(event.reason)}."
    return Line("INFO", message, picked(event, "request_id", "account_ids"))


def _counts(event: SyncPageRecorded | SyncSucceeded) -> str:
    parts = (
        count(event.issues, "issue"),
        count(event.comments, "comment"),
        count(event.worklogs, "worklog"),
        count(event.sprints, "sprint"),
        count(event.users, "user"),
    )
    return ", ".join(parts)


LINES: Final[dict[type[Event], Callable[[Any], Line]]] = {
    SyncStarted: _started,
    SyncPageRecorded: _page,
    SyncWaiting: _waiting,
    SyncSucceeded: _succeeded,
    SyncFailed: _failed,
    SyncCancelled: _cancelled,
    SchemaDriftDetected: _drift,
    ProjectRegistered: _registered,
    ProjectUnregistered: _unregistered,
    TrackedUsersChanged: _tracked,
    ScheduleChanged: _schedule,
    SchedulePaused: _paused,
    ScheduleResumed: _resumed,
    SyncRequested: _requested,
    **ALERT_LINES,
    **CENSUS_LINES,
    **QUARANTINE_LINES,
}
