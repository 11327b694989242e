"""Courses of syncs, also such as never happen, and a naive reading of what became of each run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from libs.events import (
    Event,
    Recorded,
    SyncCancelled,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
    stream_id,
)
from services.projector.project.runs import SILENT
from services.projector.tables.times import stamp
from tests.unit.made import build

KINDS = ("started", "page", "succeeded", "met_nothing", "failed", "cancelled", "waiting")

WORDS = ("", "Comments of DEMO-4 are incomplete.", "a\x00NUL", r"text \u0000, told in JSON")
"""Also such as one of the databases, or JSON, might stumble over."""


class Step(NamedTuple):
    """Something that a run tells."""

    kind: str
    run: int
    amount: int
    """What it read, and its page's number."""
    words: str
    """A warning, an error or a reason."""


STEPS = st.builds(
    Step,
    kind=st.sampled_from(KINDS),
    run=st.integers(1, 3),
    amount=st.integers(-1, 5),
    words=st.sampled_from(WORDS),
)


def course(steps: Sequence[Step], project: str = build.PROJECT) -> list[Event]:
    """The events of a project's sync stream, a minute apart."""
    reported: list[Event] = []
    for minute, step in enumerate(steps):
        event = _event(step, f"{project}-run-{step.run}")
        at = build.MOMENT + timedelta(minutes=minute)
        if isinstance(event, SyncSucceeded) and event.began_at is not None:
            event = msgspec.structs.replace(event, began_at=at - timedelta(seconds=1))
        reported.append(
            msgspec.structs.replace(
                event,
                project=project,
                stream_id=stream_id(build.SITE, "sync", project),
                occurred_at=at,
            )
        )
    return reported


def _event(step: Step, run_id: str) -> Event:
    warnings = (step.words,) if step.words else ()
    event: Any = getattr(build, step.kind)(run_id=run_id)
    if isinstance(event, SyncPageRecorded):
        counts = {"issues": step.amount + 1, "appended": step.amount + 2}
        return msgspec.structs.replace(event, page=step.amount, warnings=warnings, **counts)
    if isinstance(event, SyncSucceeded):
        aside = {"quarantined": abs(step.amount), "quarantine": warnings, "late": max(step.amount, 0)}
        return msgspec.structs.replace(
            event, issues=10 * step.amount, seconds=step.amount / 3, warnings=warnings, **aside
        )
    if isinstance(event, SyncFailed):
        mode = None if step.amount < 0 else event.mode
        return msgspec.structs.replace(event, message=step.words, attempts=step.amount, mode=mode)
    if isinstance(event, SyncWaiting):
        return msgspec.structs.replace(event, message=step.words, until=build.MOMENT + timedelta(minutes=step.amount))
    changed: Event = msgspec.structs.replace(event, reason=step.words)
    return changed


def naive_runs(log: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The rows of `sync_run`, without their versions: the whole log is read once for each run, and that run alone."""
    reported: dict[tuple[str, str], None] = {}
    for recorded in log:
        run_id = getattr(recorded.event, "run_id", None)
        if run_id is not None:
            reported[recorded.event.project, run_id] = None
    found = [_naive_run(project, run_id, log) for project, run_id in sorted(reported, key=lambda run: run[1])]
    return [row for row in found if row]


def _naive_run(project: str, run_id: str, log: Sequence[Recorded]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    before: list[Any] = []
    for position, event in _of_sync(project, log):
        begins = _begins(event, before)
        before.append(event)
        if event.run_id != run_id:
            if begins and row.get("result") == "RUNNING":
                row |= _NO_END | {"result": "CANCELLED", "ended_at": stamp(event.occurred_at), "error_message": SILENT}
        elif isinstance(event, SyncWaiting):
            continue
        elif isinstance(event, SyncStarted):
            row = _new(event, position) | {
                "mode": event.mode.value,
                "reason": event.reason.replace("\x00", ""),
                "started_at": stamp(event.occurred_at),
            }
        elif isinstance(event, SyncPageRecorded):
            row = row and row | _page(event, row)
        else:
            if begins:
                row = _new(event, position) | {"reason": "schedule", "started_at": stamp(event.began_at)}
            row = (row or _new(event, position)) | _NO_END | {"ended_at": stamp(event.occurred_at)} | _end(event, row)
    return row


def _begins(event: Any, before: Sequence[Any]) -> bool:
    """Whether the log hears with this event that a run began: some tell of it only when they end."""
    if isinstance(event, SyncSucceeded):
        return event.began_at is not None and not _told(event.run_id, before)
    return isinstance(event, SyncStarted)


def _told(run_id: str, before: Sequence[Any]) -> bool:
    """Whether a run has told its begin or its end."""
    return any(each.run_id == run_id and not isinstance(each, SyncWaiting | SyncPageRecorded) for each in before)


def _of_sync(project: str, log: Sequence[Recorded]) -> Iterator[tuple[int, Any]]:
    for recorded in log:
        if recorded.event.project == project and hasattr(recorded.event, "run_id"):
            yield recorded.position, recorded.event


_NO_END: dict[str, Any] = {
    "ended_at": None,
    "seconds": None,
    "error_code": None,
    "error_message": None,
    "error_advice": None,
    "error_severity": None,
    "error_docs": None,
    "error_details": None,
    "attempts": None,
}


def _new(event: Any, position: int) -> dict[str, Any]:
    return _NO_END | {
        "site": event.site,
        "run_id": event.run_id,
        "project_key": event.project,
        "mode": None,
        "reason": "",
        "result": "RUNNING",
        "started_at": None,
        "pages_done": 0,
        "pages_total": None,
        "issues": 0,
        "comments": 0,
        "worklogs": 0,
        "sprints": 0,
        "users": 0,
        "appended": 0,
        "requests": 0,
        "warnings": "[]",
        "quarantined": 0,
        "quarantine": "[]",
        "late": 0,
        "latest_seconds": None,
        "overlap_seconds": None,
        "started_position": position,
    }


def _page(event: SyncPageRecorded, row: dict[str, Any]) -> dict[str, Any]:
    warnings = [*msgspec.json.decode(row["warnings"]), *event.warnings]
    return {
        "pages_done": row["pages_done"] + (1 if event.page >= 0 else 0),
        "pages_total": event.pages_total,
        "issues": row["issues"] + event.issues,
        "comments": row["comments"] + event.comments,
        "worklogs": row["worklogs"] + event.worklogs,
        "appended": row["appended"] + event.appended,
        "warnings": msgspec.json.encode(warnings).decode(),
    }


def _naive_details(event: SyncFailed) -> dict[str, Any]:
    evidence: dict[str, Any] = msgspec.to_builtins(event.evidence)
    return evidence | {
        "origin": event.origin,
        "severity": event.severity,
        "category": event.category,
        "retryable": event.retryable,
        "scope": event.scope,
        "fingerprint": event.fingerprint,
        "docs": event.docs,
    }


def _end(event: Any, row: dict[str, Any]) -> dict[str, Any]:
    if isinstance(event, SyncCancelled):
        return {"result": "CANCELLED", "error_message": event.reason.replace("\x00", "") or None}
    if isinstance(event, SyncFailed):
        return {
            "result": "ERROR",
            "mode": event.mode.value if event.mode else row.get("mode"),
            "seconds": event.seconds,
            "error_code": event.code,
            "error_message": event.message.replace("\x00", ""),
            "error_advice": event.advice,
            "error_severity": "critical",
            "error_docs": event.docs,
            "error_details": msgspec.json.encode(_naive_details(event)).decode(),
            "attempts": event.attempts,
        }
    counts = ("issues", "comments", "worklogs", "sprints", "users", "appended", "requests", "quarantined", "late")
    return {name: getattr(event, name) for name in counts} | {
        "result": "SUCCESS",
        "mode": event.mode.value,
        "seconds": event.seconds,
        "warnings": msgspec.json.encode(event.warnings).decode(),
        "quarantine": msgspec.json.encode(event.quarantine).decode(),
        "latest_seconds": event.latest_seconds if event.late else None,
        "overlap_seconds": event.overlap_seconds,
    }


def naive_streak(project: str, log: Sequence[Recorded]) -> tuple[int, str | None]:
    """Runs in a row that failed and when the first of them did: counted from the end of the log backwards.

    The end of a run counts when no other has begun since, and it is not older than the begin of the last.
    """
    reported = [event for _, event in _of_sync(project, log)]
    ends = [event for place, event in enumerate(reported) if _counts(event, reported[:place])]
    failed: list[SyncFailed] = []
    for event in reversed(ends):
        if isinstance(event, SyncSucceeded):
            break
        if isinstance(event, SyncFailed):
            failed.append(event)
    return len(failed), stamp(failed[-1].occurred_at) if failed else None


def _counts(event: Any, before: Sequence[Any]) -> bool:
    """Whether an event is the end of the run that was in progress, or of one that nobody saw begin."""
    if not isinstance(event, SyncSucceeded | SyncFailed | SyncCancelled):
        return False
    return _begins(event, before) or _running(before) in (None, event.run_id)


def _running(before: Sequence[Any]) -> str | None:
    """The run that is in progress after these events."""
    running: str | None = None
    for place, earlier in enumerate(before):
        if _begins(earlier, before[:place]):
            running = earlier.run_id
        if not isinstance(earlier, SyncStarted | SyncPageRecorded | SyncWaiting) and earlier.run_id == running:
            running = None
    return running


def naive_wait(project: str, log: Sequence[Recorded]) -> tuple[str | None, str | None]:
    """The run that waits, and until when: of the last word of a run that may wait, when nothing has ended it since."""
    reported = [event for _, event in _of_sync(project, log)]
    for place, event in reversed(list(enumerate(reported))):
        if isinstance(event, SyncWaiting) and _may_wait(event.run_id, reported[:place]):
            ended = any(
                _begins(each, reported[:later]) or (each.run_id == event.run_id and not isinstance(each, SyncWaiting))
                for later, each in enumerate(reported)
                if later > place
            )
            return (None, None) if ended else (event.run_id, stamp(event.until))
    return None, None


def _may_wait(run_id: str, before: Sequence[Any]) -> bool:
    """Whether a run is in progress, or has told neither its begin nor its end while none is."""
    running = _running(before)
    return running == run_id or (running is None and not _told(run_id, before))
