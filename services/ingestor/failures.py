"""How an error becomes what Temporal, the event log and people are told. Pure."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from libs.jira_client import Context, ErrorCode, JiraError, classify_exception, error_for
from libs.temporal.commands import REFUSED
from libs.temporal.messages import Failure
from services.ingestor.decisions import RefusedError

TRANSIENT_ATTEMPTS = 3
"""Attempts of one step, each of three calls, before a transient trouble ends the run. The next tick goes on."""

WAITS = frozenset({ErrorCode.RATE_LIMIT, ErrorCode.QUOTA_EXHAUSTED})
"""Being told to wait is no failure: bounded by the step's time alone."""


def failure_from(error: JiraError, attempt: int) -> Failure:
    return Failure(
        code=error.code.value,
        message=error.message,
        advice=error.advice,
        status=error.evidence.status,
        endpoint=error.evidence.endpoint,
        excerpt=error.evidence.excerpt,
        retry_after=error.retry_after,
        attempts=attempt,
    )


def activity_error(error: JiraError, attempt: int) -> ApplicationError:
    """What the activity raises: how Temporal shall go on, and the failure for the event."""
    waits = error.code in WAITS
    lost = not waits and (not error.retryable or attempt >= TRANSIENT_ATTEMPTS)
    return ApplicationError(
        error.message,
        failure_from(error, attempt),
        type=error.code.value,
        non_retryable=lost,
        next_retry_delay=timedelta(seconds=error.retry_after) if error.retry_after and not lost else None,
        category=ApplicationErrorCategory.BENIGN if waits else ApplicationErrorCategory.UNSPECIFIED,
    )


def refusal(error: RefusedError) -> ApplicationError:
    """What the activity raises for a command that cannot be carried out as it stands."""
    details = {"code": error.code, "field": error.field}
    return ApplicationError(str(error), details, type=REFUSED, non_retryable=True)


def unreadable(error: msgspec.DecodeError, endpoint: str) -> JiraError:
    """An answer that is JSON, but not of the documented shape."""
    return error_for(classify_exception(error, Context(endpoint=endpoint)))
