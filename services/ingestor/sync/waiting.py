"""That a step waits and is taken again later: told in the log at once, for as long as it waits nothing is read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from libs.events import Append, Change, SyncWaiting
from libs.temporal.messages import SyncStep
from services.ingestor.event_log import EventLog
from services.ingestor.sync.step import envelope

LEAST = timedelta(seconds=5)
"""Shorter waits are nothing to tell people of."""

STORE_SECONDS = 5.0
"""In which the event must be stored: the step has failed, and telling of it must not hold it up."""

log = structlog.get_logger()


async def tell(event_log: EventLog, message: SyncStep, step: str, key: str, error: ApplicationError) -> None:
    """Record that the step waits, once per attempt. Never raises: where the log is away, a log line must do.

    Args:
        event_log: where it is recorded.
        message: names the run.
        step: what the step is called in the event.
        key: the step's idempotency key.
        error: as the step is going to raise it.
    """
    info, now = activity.info(), datetime.now(UTC)
    wait = wait_of(error, info.retry_policy, info.attempt)
    if wait < LEAST:
        return
    event = SyncWaiting(
        **envelope(message, now),
        run_id=message.run_id,
        step=step,
        code=error.type or "UNKNOWN",
        message=error.message,
        until=now + wait,
    )
    append = Append(changes=[Change(event=event)], idempotency_key=f"waiting:{key}:{info.attempt}")
    try:
        await asyncio.wait_for(event_log.append(append), STORE_SECONDS)
    except Exception as away:  # noqa: BLE001 - the step's own failure is what counts
        log.warning("a step waits, which could not be recorded", step=step, until=event.until, why=str(away))


def wait_of(error: ApplicationError, policy: RetryPolicy | None, attempt: int) -> timedelta:
    """Until Temporal takes the step again; 0 when it does not, or nobody knows."""
    if error.non_retryable:
        return timedelta(0)
    if error.next_retry_delay is not None:
        return error.next_retry_delay
    if policy is None:
        return timedelta(0)
    longest = policy.maximum_interval or policy.initial_interval * 100
    # The power is cut as well: after a thousand attempts it would be beyond any number.
    return min(longest, policy.initial_interval * policy.backoff_coefficient ** min(attempt - 1, 30))
