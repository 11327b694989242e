"""What the steps of a run have in common: how Jira is asked, and what their message gives to every event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from opentelemetry import trace
from temporalio import activity

from libs.events import Envelope, SchemaDriftDetected, SyncEvent
from libs.jira_client import RequestCount, counting
from libs.temporal.messages import SyncStep
from services.ingestor.failures import activity_error, as_jira_error
from services.ingestor.project_of import project_of
from services.ingestor.sync.drift import Drift
from services.ingestor.sync.translate import Origin

HEARTBEAT_SECONDS = 3.0


@asynccontextmanager
async def asking_jira(step: str, patience: timedelta) -> AsyncIterator[RequestCount]:
    """Heartbeat while Jira is asked, count the requests, and classify what goes wrong.

    Args:
        step: names the step where a failure has no endpoint of its own.
        patience: for how long after its first attempt the step waits because Jira says so.
    """
    beat = asyncio.create_task(_heartbeat())
    try:
        with counting() as requests:
            yield requests
    except Exception as error:
        info = activity.info()
        left = info.scheduled_time + patience - datetime.now(UTC)
        classified = as_jira_error(error, step)
        trace.get_current_span().set_attribute("error.type", classified.code.value)
        raise activity_error(classified, info.attempt, left) from error
    finally:
        beat.cancel()


async def _heartbeat() -> None:
    """Tell Temporal that the step lives: by the missing beat a killed worker is noticed within seconds."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


def envelope(message: SyncStep, now: datetime) -> Envelope:
    """The common fields of an event about the run."""
    return SyncEvent.envelope(message.project, project_of(message), occurred_at=now, cause=message.run_id)


def origin_of(message: SyncStep) -> Origin:
    """Where and when the facts of this step are read."""
    return Origin(site=message.site, project=message.project, cause=message.run_id, fetched_at=datetime.now(UTC))


def drift_event(message: SyncStep, drift: Drift, now: datetime) -> SchemaDriftDetected:
    """That the shape of Jira's answers has changed, as this step has seen it."""
    return SchemaDriftDetected(
        **envelope(message, now),
        run_id=message.run_id,
        change=drift.change.value,
        field_id=drift.field_id,
        field_name=drift.field_name,
        before=drift.before,
        after=drift.after,
    )
