"""How an error becomes a failed attempt in Temporal, and the event that a run failed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from libs.events import SyncFailed
from libs.jira_client import Context, ErrorCode, JiraError, classify_exception, error_for
from libs.jira_client.failures.classify import fingerprint
from libs.jira_client.failures.errors import Category
from libs.jira_client.failures.rules import RULES
from libs.temporal.messages import Failure

TRANSIENT_ATTEMPTS = 3
"""Attempts of one step, each of three calls, before a transient trouble ends the run. The next tick goes on."""

WAITS = frozenset({ErrorCode.RATE_LIMIT, ErrorCode.QUOTA_EXHAUSTED})
"""To be asked to wait is no failure, as long as there is patience."""

PATIENCE = timedelta(minutes=15)
"""For how long one step waits because Jira says so. Then the run fails, and the schedule is slowed down instead."""

CONFIRM = (timedelta(seconds=5), timedelta(seconds=60))
"""One 401, 403 or 404 is a question: it is asked again after each of these pauses, and the refusal after the last one
counts. Jira has answered so for a moment while it was healthy."""

STORE = frozenset({ErrorCode.STORE_DOWN, ErrorCode.STORE_FULL})

ENDURED = WAITS | STORE
"""Nor does a database that is away end the run: without it the end could not be recorded either."""


_CODES = {code.value: code for code in ErrorCode}


def failure_from(error: JiraError, attempt: int) -> Failure:
    """All that the classifier found, as it travels through Temporal: the verdict and its evidence in one flat map."""
    verdict: Failure = msgspec.to_builtins(error.verdict)
    evidence = verdict.pop("evidence")
    return {**verdict, **evidence, "attempts": attempt}


def failed_event(failure: Failure, **course: Any) -> SyncFailed:
    """The event that a run failed.

    Args:
        failure: why; what Temporal alone reports knows only its code, and gets what the code means.
        course: the other fields of the event.
    """
    whole = failure | {name: value for name, value in _meaning(failure).items() if failure.get(name) in (None, "")}
    return msgspec.convert({**whole, "evidence": whole, **course}, SyncFailed)


def _meaning(failure: Failure) -> dict[str, Any]:
    rule = RULES[_CODES.get(failure["code"], ErrorCode.UNKNOWN)]
    return {
        "origin": rule.origin.value,
        "severity": rule.severity.value,
        "category": rule.category.value,
        "scope": rule.scope.value,
        "retryable": rule.retryable,
        "fingerprint": fingerprint(failure["code"], text=failure["message"]),
        "attempts": 1,
    }


def refuses_access(error: JiraError) -> bool:
    """Whether it is a refusal that has to be confirmed. A site that is closed for its bill says so plainly enough."""
    return error.category is Category.ACCESS


def activity_error(
    error: JiraError,
    attempt: int,
    left: timedelta = PATIENCE,
    *,
    refusals: int = 1,
    confirm: Sequence[timedelta] = CONFIRM,
) -> ApplicationError:
    """What the activity raises: how Temporal shall go on, and the failure for the event.

    | the error | is tried again | ends the run |
    |---|---|---|
    | the database is away | for ever | never |
    | access is refused | after each pause of `confirm` | when it was refused after the last one, too |
    | Jira asks to wait (429) | when Jira says | when that is longer than the patience |
    | passes by itself | soon, or when Jira says | by the third attempt, or when that is longer than the patience |
    | everything else | never | at once |

    Args:
        error: what went wrong.
        attempt: of the step, from 1.
        left: what is left of the patience.
        refusals: attempts in a row that were refused access, this one counted.
        confirm: the pauses before a refusal is asked about again.
    """
    pause = timedelta(seconds=error.retry_after) if error.retry_after else None
    if refuses_access(error):
        lost = refusals > len(confirm)
        pause = None if lost else confirm[refusals - 1]
    else:
        lost = _is_lost(error, attempt, left, pause)
    return ApplicationError(
        error.named,
        failure_from(error, attempt),
        type=error.code.value,
        non_retryable=lost,
        next_retry_delay=None if lost else pause,
        category=(ApplicationErrorCategory.BENIGN if error.code in WAITS else ApplicationErrorCategory.UNSPECIFIED),
    )


def _is_lost(error: JiraError, attempt: int, left: timedelta, pause: timedelta | None) -> bool:
    if error.code in STORE:
        return False
    too_long = pause is not None and pause > left
    if error.code in WAITS:
        return too_long or left < timedelta(0)
    return too_long or not error.retryable or attempt >= TRANSIENT_ATTEMPTS


def as_jira_error(error: Exception, step: str) -> JiraError:
    """Any failure of a step, classified: an answer of another shape than documented, a database that is away, a bug."""
    return error if isinstance(error, JiraError) else error_for(classify_exception(error, Context(endpoint=step)))
