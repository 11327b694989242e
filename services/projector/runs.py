"""The runs of a project's sync, a row each: how they went, with what they read."""

import msgspec

from libs.events import SyncCancelled, SyncFailed, SyncPageRecorded, SyncStarted, SyncSucceeded
from services.projector.standing import Standing
from services.projector.times import stamp

SILENT = "It ended without a word: the next run began before it had said how it went."


def run_started(event: SyncStarted, standing: Standing) -> None:
    silent = standing.job["current_run_id"]
    if silent is not None and silent != event.run_id:
        # Two runs of a project never overlap; one that was killed from outside could not say so.
        standing.run(silent).update(
            result="CANCELLED", ended_at=stamp(event.occurred_at), error_message=SILENT, version=event.stream_version
        )
    standing.run(event.run_id).update(
        mode=event.mode.value,
        reason=_clean(event.reason),
        result="RUNNING",
        started_at=stamp(event.occurred_at),
        version=event.stream_version,
    )


def run_page_recorded(event: SyncPageRecorded, standing: Standing) -> None:
    run = standing.run(event.run_id)
    run["pages_done"] += 1
    run["pages_total"] = event.pages_total
    # The same few users and sprints come with every page: they are counted at the end.
    for column in ("issues", "comments", "worklogs", "appended"):
        run[column] += getattr(event, column)
    run["version"] = event.stream_version


def run_succeeded(event: SyncSucceeded, standing: Standing) -> None:
    standing.run(event.run_id).update(
        result="SUCCESS",
        mode=event.mode.value,
        ended_at=stamp(event.occurred_at),
        seconds=event.seconds,
        issues=event.issues,
        comments=event.comments,
        worklogs=event.worklogs,
        sprints=event.sprints,
        users=event.users,
        appended=event.appended,
        requests=event.requests,
        warnings=_clean(msgspec.json.encode(event.warnings).decode()),
        error_message=None,
        version=event.stream_version,
    )


def run_failed(event: SyncFailed, standing: Standing) -> None:
    run = standing.run(event.run_id)
    run.update(
        result="ERROR",
        mode=event.mode.value if event.mode is not None else run["mode"],
        ended_at=stamp(event.occurred_at),
        seconds=event.seconds,
        error_code=event.code,
        error_message=_clean(event.message),
        error_advice=_clean(event.advice),
        error_details=_clean(msgspec.json.encode(event.evidence).decode()),
        attempts=event.attempts,
        version=event.stream_version,
    )


def run_cancelled(event: SyncCancelled, standing: Standing) -> None:
    standing.run(event.run_id).update(
        result="CANCELLED",
        ended_at=stamp(event.occurred_at),
        error_message=_clean(event.reason) or None,
        version=event.stream_version,
    )


def _clean(text: str) -> str:
    """PostgreSQL stores every character but NUL; JSON writes it escaped."""
    return text.replace("\x00", "").replace("\\u0000", "")
