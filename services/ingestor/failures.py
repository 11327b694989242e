"""How an error becomes what Temporal, the event log and people are told. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from libs.events import Evidence
from libs.jira_client import Context, ErrorCode, JiraError, classify_exception, error_for
from libs.jira_client.failures.classify import fingerprint
from libs.jira_client.failures.rules import RULES
from libs.temporal.messages import Failure

TRANSIENT_ATTEMPTS = 3
"""Attempts of one step, each of three calls, before a transient trouble ends the run. The next tick goes on."""

WAITS = frozenset({ErrorCode.RATE_LIMIT, ErrorCode.QUOTA_EXHAUSTED})
"""Being told to wait is no failure, as long as there is patience."""

PATIENCE = timedelta(minutes=15)
"""For how long one step waits because Jira says so. Then the run fails, and the schedule is slowed down instead."""

ENDURED = WAITS | {ErrorCode.STORE_DOWN, ErrorCode.STORE_FULL}
"""Nor does a database that is away end the run: without it the end could not be recorded either."""


_CODES = {code.value: code for code in ErrorCode}


def failure_from(error: JiraError, attempt: int) -> Failure:
    """All that the classifier found, as it travels through Temporal."""
    verdict, evidence = error.verdict, error.evidence
    return Failure(
        code=verdict.code.value,
        message=verdict.message,
        advice=verdict.advice,
        status=evidence.status,
        endpoint=evidence.endpoint,
        excerpt=evidence.excerpt,
        retry_after=evidence.retry_after,
        attempts=attempt,
        origin=verdict.origin.value,
        severity=verdict.severity.value,
        category=verdict.category.value,
        retryable=verdict.retryable,
        scope=verdict.scope.value,
        fingerprint=verdict.fingerprint,
        docs=verdict.docs,
        error_code=evidence.error_code,
        error_messages=evidence.error_messages,
        errors=evidence.errors,
        path=evidence.path,
        ending=evidence.ending,
        case=evidence.case,
    )


def told(failure: Failure) -> dict[str, Any]:
    """The failure as the fields of `SyncFailed`; what Temporal alone reports is told with what its code means."""
    rule = RULES[_CODES.get(failure.code, ErrorCode.UNKNOWN)]
    return {
        "code": failure.code,
        "message": failure.message,
        "advice": failure.advice,
        "attempts": failure.attempts,
        "origin": failure.origin or rule.origin.value,
        "severity": failure.severity or rule.severity.value,
        "category": failure.category or rule.category.value,
        "retryable": rule.retryable if failure.retryable is None else failure.retryable,
        "scope": failure.scope or rule.scope.value,
        "fingerprint": failure.fingerprint or fingerprint(failure.code, text=failure.message),
        "docs": failure.docs,
        "evidence": Evidence(
            status=failure.status,
            endpoint=failure.endpoint,
            excerpt=failure.excerpt,
            retry_after=failure.retry_after,
            error_code=failure.error_code,
            error_messages=failure.error_messages,
            errors=failure.errors,
            path=failure.path,
            ending=failure.ending,
            case=failure.case,
        ),
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
