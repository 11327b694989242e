"""How an error becomes a failed attempt in Temporal, and the event that a run failed. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from libs.events import SyncFailed
from libs.jira_client import Context, ErrorCode, JiraError, classify_exception, error_for
from libs.jira_client.failures.classify import fingerprint
from libs.jira_client.failures.rules import RULES
from libs.temporal.messages import Failure

TRANSIENT_ATTEMPTS = 3
"""Attempts of one step, each of three calls, before a transient trouble ends the run. The next tick goes on."""

WAITS = frozenset({ErrorCode.RATE_LIMIT, ErrorCode.QUOTA_EXHAUSTED})
"""To be asked to wait is no failure, as long as there is patience."""

PATIENCE = timedelta(minutes=15)
"""For how long one step waits because Jira says so. Then the run fails, and the schedule is slowed down instead."""

ENDURED = WAITS | {ErrorCode.STORE_DOWN, ErrorCode.STORE_FULL}
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


def activity_error(error: JiraError, attempt: int, left: timedelta = PATIENCE) -> ApplicationError:
    """What the activity raises: how Temporal shall go on, and the failure for the event.

    Args:
        error: what went wrong.
        attempt: of the step, from 1.
        left: what is left of the patience.
    """
    waits = error.code in WAITS
    if waits:
        lost = timedelta(seconds=error.retry_after or 0) > left
    else:
        lost = error.code not in ENDURED and (not error.retryable or attempt >= TRANSIENT_ATTEMPTS)
    return ApplicationError(
        error.message,
        failure_from(error, attempt),
        type=error.code.value,
        non_retryable=lost,
        next_retry_delay=timedelta(seconds=error.retry_after) if error.retry_after and not lost else None,
        category=ApplicationErrorCategory.BENIGN if waits else ApplicationErrorCategory.UNSPECIFIED,
    )


def as_jira_error(error: Exception, step: str) -> JiraError:
    """Any failure of a step, classified: an answer of another shape than documented, a database that is away, a bug."""
    return error if isinstance(error, JiraError) else error_for(classify_exception(error, Context(endpoint=step)))
