"""The runs of a project's sync, a row each: how they went, with what they read.

At most one run of a project is in progress: the one that its job names. A run tells how it ended, also when a newer
one has begun meanwhile; one that failed before it began has a row from then on.
"""

from datetime import datetime
from typing import Final

import msgspec

from libs.events import UNASKED, Event, SyncCancelled, SyncFailed, SyncPageRecorded, SyncStarted, SyncSucceeded
from services.projector.project.state import UNKNOWN_END, ProjectState
from services.projector.tables.rows import Row
from services.projector.tables.text import json_text, storable
from services.projector.tables.times import stamp

SILENT: Final = "It ended without a word: the next run began before it had said how it went."

MAX_WARNINGS: Final = 20
"""Kept of a run that has not ended well; a run with more has one cause that the first ones name."""


def run_started(event: SyncStarted, state: ProjectState) -> None:
    _begin(event, state, event.occurred_at, event.reason)


def run_began(event: SyncSucceeded, began_at: datetime, state: ProjectState) -> None:
    """The beginning of a run that has told of it only when it ended."""
    _begin(event, state, began_at, UNASKED)


def _begin(event: SyncStarted | SyncSucceeded, state: ProjectState, at: datetime, reason: str) -> None:
    silent = state.job["current_run_id"]
    if silent is not None:
        # Two runs of a project never overlap; one that was killed from outside could not say so.
        _end(state.run(silent), "CANCELLED", event)["error_message"] = SILENT
    state.begin_run(event.run_id).update(
        mode=event.mode.value,
        reason=storable(reason),
        started_at=stamp(at),
        version=event.stream_version,
    )


def run_page_recorded(event: SyncPageRecorded, state: ProjectState) -> None:
    run = state.runs.get(event.run_id)
    if run is None:  # its start was not seen; its end will tell
        return
    if event.page >= 0 and not event.left:  # before the first page stands what earlier runs could not read
        run["pages_done"] += 1
    run["pages_total"] = event.pages_total
    # The same few users and sprints come with every page: they are counted at the end.
    for column in ("issues", "comments", "worklogs", "appended"):
        run[column] += getattr(event, column)
    if event.warnings:
        run["warnings"] = json_text([*msgspec.json.decode(run["warnings"]), *event.warnings][:MAX_WARNINGS])
    run["version"] = event.stream_version


def run_succeeded(event: SyncSucceeded, state: ProjectState) -> None:
    _end(state.run(event.run_id), "SUCCESS", event).update(
        mode=event.mode.value,
        seconds=event.seconds,
        issues=event.issues,
        comments=event.comments,
        worklogs=event.worklogs,
        sprints=event.sprints,
        users=event.users,
        appended=event.appended,
        requests=event.requests,
        warnings=json_text(event.warnings),
        quarantined=event.quarantined,
        quarantine=json_text(event.quarantine),
        late=event.late,
        latest_seconds=event.latest_seconds if event.late else None,
        overlap_seconds=event.overlap_seconds,
    )


def run_failed(event: SyncFailed, state: ProjectState) -> None:
    run = _end(state.run(event.run_id), "ERROR", event)
    run.update(
        mode=event.mode.value if event.mode is not None else run["mode"],
        seconds=event.seconds,
        **error_columns(event),
        error_details=json_text(_details(event)),
        attempts=event.attempts,
    )


def error_columns(event: SyncFailed) -> Row:
    """The columns that a failed run has, and with it each entity of its project."""
    return {
        "error_code": event.code,
        "error_message": storable(event.message),
        "error_advice": storable(event.advice),
        "error_severity": event.severity or None,
        "error_docs": storable(event.docs) or None,
    }


def _details(event: SyncFailed) -> Row:
    """What was seen, with what the classifier made of it."""
    found = ("origin", "severity", "category", "retryable", "scope", "fingerprint", "docs")
    return {**msgspec.structs.asdict(event.evidence), **{name: getattr(event, name) for name in found}}


def run_cancelled(event: SyncCancelled, state: ProjectState) -> None:
    run = _end(state.run(event.run_id), "CANCELLED", event)
    run["error_message"] = storable(event.reason) or None


def _end(run: Row, result: str, event: Event) -> Row:
    """The row of a run that has ended; nothing is left of an end that was reported, or supposed, before."""
    run.update(UNKNOWN_END, result=result, ended_at=stamp(event.occurred_at), version=event.stream_version)
    return run
