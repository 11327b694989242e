"""The event for a run that could not record its end itself: pure, from what Temporal shows and the log holds.

    closed without an event   FAILED, TIMED_OUT, TERMINATED → SyncFailed; CANCELED → SyncCancelled
    open, but blocked         its code fails in Temporal's hands, again and again → SyncFailed, and the run is ended
    open, cancel in vain      nobody there to carry the cancel out → SyncCancelled, and the run is ended
    unknown to Temporal       its database was lost or set aside → SyncFailed RUN_LOST
    open, nobody takes it up  no worker polls its queue → SyncFailed INGESTOR_DOWN; the run waits and then goes on

A blocked run is ended because the schedule starts no other beside it. One that nobody takes up is left alone: ending it
would lose what it has done, and slow the schedule down for a trouble that is over as soon as the ingestor is back.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from libs.events import (
    Envelope,
    Evidence,
    ProjectKey,
    SyncCancelled,
    SyncEvent,
    SyncFailed,
    SyncMode,
)
from libs.jira_client.failures.classify import fingerprint
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from libs.runtime.logs import redact_text
from libs.runtime.spans import span_text

QUOTED: Final = 300
"""Characters quoted of what others wrote."""


READ_AGAIN: Final = "The next run reads all that has changed since the last one that succeeded."

COMPARED_AGAIN: Final = "the next census compares everything anew."

NO_REASON: Final = "terminated by user via frontend"
"""What the server writes when none was given."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """When the sweep looks, and when it believes; all in seconds but the attempts."""

    every: float = 60.0
    """Between two sweeps. A run that dies is found within two minutes: this, `grace`, and the delay of visibility."""
    again: float = 10.0
    """After a sweep that failed: what was away is often back by then."""
    look_back: float = 86_400.0
    """How far the first sweep looks back; a day is as long as a development server keeps runs."""
    overlap: float = 120.0
    """What later sweeps look at again: visibility is seconds behind, clocks differ."""
    grace: float = 10.0
    """After a run's close its last step may still be storing the end."""
    young: float = 30.0
    """Open runs younger than this are not looked at: most have ended by then."""
    blocked: float = 45.0
    """Code that has failed for so long, and `attempts` times, will not recover by itself, nor carry out a cancel."""
    attempts: int = 3
    lost: float = 60.0
    """A run of which nothing was heard for so long, and that Temporal did not know for as long, is gone."""
    untaken: float = 300.0
    """A step that has waited longer than this for a worker has none: a restart takes less."""


class How(StrEnum):
    """In which way a run was found dead, or standing still."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    UNTAKEN = "untaken"
    LOST = "lost"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as Temporal names it."""

    project: ProjectKey
    census: bool = False
    """Whether it is a census, and no sync."""
    workflow_id: str
    run_id: str
    """Of the latest part of a run that continued as new."""
    started_at: datetime


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a chain of failures, outermost first."""

    kind: str
    """The type of the error; empty when it has none."""
    message: str
    step: str = ""
    """The activity that failed; empty when it is not the failure of one."""


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """How a run was closed, by its last event."""

    how: How
    at: datetime
    by: str = ""
    """Who terminated it, as their client called itself."""
    reason: str = ""
    failures: tuple[Failure, ...] = ()


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """The run's own code fails, or does not finish a step."""

    since: datetime
    failure: Failure | None
    """None when it only did not finish in time."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A step that no worker has begun."""

    queue: str
    since: datetime


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """What an open run does."""

    cancel_requested: bool = False
    task_since: datetime | None = None
    """Since when this attempt of its workflow task is open; None when it has none."""
    task_attempt: int = 0
    waiting: tuple[Waiting, ...] = ()


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds of a run."""

    mode: SyncMode | None = None
    started_at: datetime | None = None
    pages: int = 0


_WORKFLOW_ID: Final = re.compile(
    r"(?P<kind>sync|prove):(?P<site>[^:]+):(?P<project>[^:]+?)(?:-\d{4}-\d\d-\d\dT[\d:.]+Z)?"
)


def project_of(workflow_id: str) -> ProjectKey | None:
    """The project of a sync or census; None for other workflows. The scheduler adds the time of the tick to the id."""
    match = _WORKFLOW_ID.fullmatch(workflow_id)
    return ProjectKey(match["site"], match["project"]) if match else None


def is_census(workflow_id: str) -> bool:
    match = _WORKFLOW_ID.fullmatch(workflow_id)
    return match is not None and match["kind"] == "prove"


def is_suspect(state: RunState, thresholds: Thresholds) -> bool:
    """Whether its history should be asked since when its code fails: an attempt knows only of itself."""
    return state.task_since is not None and state.task_attempt >= thresholds.attempts


def is_blocked(state: RunState, trouble: Trouble | None, now: datetime, thresholds: Thresholds) -> bool:
    """Whether a run will not go on by itself.

    One or two failed attempts may be bad luck. A cancelled run needs none to be given up: there is nothing to save.
    """
    since = state.task_since if trouble is None else trouble.since
    if state.task_since is None or since is None or now - since < timedelta(seconds=thresholds.blocked):
        return False
    return state.cancel_requested or (trouble is not None and is_suspect(state, thresholds))


def overdue(state: RunState, now: datetime, thresholds: Thresholds) -> list[Waiting]:
    """The steps that have waited too long for a worker, the longest first."""
    late = timedelta(seconds=thresholds.untaken)
    return sorted((step for step in state.waiting if now - step.since > late), key=lambda step: step.since)


def closed(run: Run, first_run_id: str, close: Close, logged: LoggedRun) -> SyncFailed | SyncCancelled:
    """The end of a run that Temporal has closed."""
    if close.how is How.CANCELLED:
        return cancelled(run, first_run_id, close.at, logged, "cancelled in Temporal")
    return _failed(run, first_run_id, close.at, logged, close.how, why_closed(run, close))


def cancelled(run: Run, first_run_id: str, at: datetime, logged: LoggedRun, reason: str) -> SyncCancelled:
    return SyncCancelled(
        **_envelope(run, first_run_id, at), run_id=first_run_id, reason=reason, pages_recorded=logged.pages
    )


def blocked(
    run: Run, first_run_id: str, at: datetime, logged: LoggedRun, attempts: int, trouble: Trouble | None
) -> SyncFailed:
    """The end of a run that its own code holds up."""
    return _failed(run, first_run_id, at, logged, How.BLOCKED, why_blocked(run, attempts, trouble), attempts)


def untaken(run: Run, first_run_id: str, at: datetime, logged: LoggedRun, step: Waiting) -> SyncFailed:
    """Recorded once of a run that no worker takes up. It is not over."""
    waits = span_text((at - step.since).total_seconds())
    explanation = Explanation(
        ErrorCode.INGESTOR_DOWN,
        f"No ingestor takes up the work: the run has waited for {waits}, and nothing asks the queue {step.queue}.",
        RULES[ErrorCode.INGESTOR_DOWN].advice,
        step.queue,
    )
    return _failed(run, first_run_id, at, logged, How.UNTAKEN, explanation)


def lost(run: Run, at: datetime, logged: LoggedRun) -> SyncFailed:
    """The end of a run that Temporal does not know any more; `run` is its first part."""
    return _failed(run, run.run_id, at, logged, How.LOST, why_lost(run))


class Explanation(NamedTuple):
    """What people read of a failure."""

    code: ErrorCode
    message: str
    advice: str
    cause: str = ""
    """What equal failures have in common, for the fingerprint."""


def why_blocked(run: Run, attempts: int, trouble: Trouble | None) -> Explanation:
    failure = trouble.failure if trouble else None
    why = f"fails with {_failure_text(failure)}" if failure else "does not finish a step in time"
    return Explanation(
        ErrorCode.UNKNOWN,
        f"The {_called(run)} could not go on: the integrator's own code {why}, {attempts} times so far. The"
        f" {_called(run)} was ended, so that the schedule is free.",
        "A bug, or two versions of the ingestor at once: see its log for the stack, then update or roll back.",
        why,
    )


def why_lost(run: Run) -> Explanation:
    return Explanation(
        ErrorCode.RUN_LOST,
        f"Temporal does not know the {_called(run)} any more: its database was lost, set aside as damaged, or is"
        " another one.",
        f"Nothing to do: {COMPARED_AGAIN}" if run.census else RULES[ErrorCode.RUN_LOST].advice,
    )


def _called(run: Run) -> str:
    return "census" if run.census else "run"


def why_closed(run: Run, close: Close) -> Explanation:
    again = f"Nothing was removed. {COMPARED_AGAIN[0].upper()}{COMPARED_AGAIN[1:]}" if run.census else READ_AGAIN
    if close.how is How.TIMED_OUT:
        lasted = span_text((close.at - run.started_at).total_seconds())
        return Explanation(
            ErrorCode.TIMEOUT,
            f"The {_called(run)} had not ended after {lasted}, so Temporal ended it.",
            f"The ingestor was down, or Jira very slow, for most of that time: see the ingestor's log. {again}",
        )
    if close.how is How.TERMINATED:
        by = f" by {_quoted(close.by)}" if close.by else ""
        reason = f": {_quoted(close.reason)}" if close.reason not in ("", NO_REASON) else ""
        return Explanation(
            ErrorCode.UNKNOWN,
            f"The {_called(run)} was terminated in Temporal{by}{reason}.",
            f"Somebody ended it by hand: ask them. {again}",
        )
    return _why_failed(run, close.failures)


def _why_failed(run: Run, failures: Sequence[Failure]) -> Explanation:
    """The classified failure of the chain; the innermost one when none is classified."""
    step = next((f"The step {failure.step} failed: " for failure in failures if failure.step), "")
    for failure in failures:
        if failure.kind in ErrorCode.__members__ and failure.kind != ErrorCode.UNKNOWN:
            code, message = ErrorCode(failure.kind), step + _quoted(failure.message)
            return Explanation(code, message, RULES[code].advice, message)
    begin = step or f"The {_called(run)} failed: "
    message = f"{begin}{_failure_text(failures[-1]) if failures else 'Temporal does not tell why'}."
    advice = "An unexpected error inside the integrator: see the ingestor's log for the stack."
    return Explanation(ErrorCode.UNKNOWN, message, advice, message)


def _failed(
    run: Run,
    first_run_id: str,
    at: datetime,
    logged: LoggedRun,
    how: How,
    explanation: Explanation,
    attempts: int = 1,
) -> SyncFailed:
    code, message, advice, cause = explanation
    rule = RULES[code]
    return SyncFailed(
        **_envelope(run, first_run_id, at),
        run_id=first_run_id,
        mode=logged.mode,
        code=code.value,
        message=message,
        advice=advice,
        origin=rule.origin.value,
        severity=rule.severity.value,
        category=rule.category.value,
        retryable=rule.retryable,
        scope=rule.scope.value,
        fingerprint=fingerprint(code, text=f"{how}: {cause}"),
        docs=rule.docs,
        evidence=Evidence(),
        attempts=attempts,
        pages_recorded=logged.pages,
        seconds=max(0.0, (at - (logged.started_at or run.started_at)).total_seconds()),
    )


def _envelope(run: Run, first_run_id: str, at: datetime) -> Envelope:
    return SyncEvent.envelope(run.project.key, run.project, occurred_at=at, cause=first_run_id)


def _failure_text(failure: Failure) -> str:
    message = _quoted(failure.message)
    return f"{failure.kind}: {message}" if failure.kind and message else failure.kind or message or "no words"


def _quoted(text: str) -> str:
    """One line of what others wrote, without what looks like a secret."""
    line = " ".join(redact_text(text).split())
    return line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"
