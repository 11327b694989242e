"""What the steps of a run have in common: how Jira is asked, and what their message gives to every event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from opentelemetry import trace
from temporalio import activity

from libs.events import Append, Envelope, SchemaDriftDetected, SyncEvent
from libs.jira_client import (
    ApiGone,
    BadRequest,
    BadResponse,
    Forbidden,
    JiraClient,
    JiraError,
    JiraTimeout,
    NotFoundOrHidden,
    RequestCount,
    UnknownFailure,
    UpstreamError,
    counting,
    deadline,
)
from libs.temporal.messages import SyncStep
from services.ingestor.event_log import EventLog
from services.ingestor.failures import CONFIRM, PATIENCE, activity_error, as_jira_error, refuses_access
from services.ingestor.project_of import project_of
from services.ingestor.sync.records.drift import Drift
from services.ingestor.sync.records.translate import Origin

T = TypeVar("T")
S = TypeVar("S", bound=SyncStep)

AskingJira = Callable[[JiraClient, EventLog, S, RequestCount], Awaitable[Append]]
"""What a step that asks Jira comes to: all that it stores, in one transaction."""

HEARTBEAT_SECONDS = 3.0

STEP_SECONDS = 240.0
"""A step's own time, shorter than Temporal's 5 minutes, so that it can say what it waited for and keep what it has."""

REFUSED: tuple[type[JiraError], ...] = (NotFoundOrHidden, Forbidden, BadRequest, ApiGone)
"""Refusals that concern one look-up alone: a site without Jira Software has no boards, users may be hidden."""

ONE_SICK: tuple[type[JiraError], ...] = (*REFUSED, UpstreamError, BadResponse, JiraTimeout, UnknownFailure)
"""What may be wrong with one look-up or one issue's children, and costs no more than these.

Not so a token that is refused, a site that is closed or asks to wait, a network that is away: they concern every call.
"""


class JiraSteps:
    """Steps of one site, taken by the log and by Jira."""

    def __init__(
        self,
        log: EventLog,
        jira: JiraClient,
        patience: timedelta = PATIENCE,
        confirm: Sequence[timedelta] = CONFIRM,
    ) -> None:
        self._log = log
        self._jira = jira
        self._patience = patience
        self._confirm = confirm

    async def _once(self, step: str, key: str, answer: type[T], ask: AskingJira[S], message: S) -> T:
        """Take a step that asks Jira, once: what it stores and answers has the key."""
        async with asking_jira(step, self._patience, self._confirm) as requests:
            return await self._log.once(key, answer, lambda: ask(self._jira, self._log, message, requests))


@asynccontextmanager
async def asking_jira(
    step: str, patience: timedelta, confirm: Sequence[timedelta] = CONFIRM
) -> AsyncIterator[RequestCount]:
    """Heartbeat while Jira is asked, for no longer than the step's time; count requests, classify what goes wrong.

    Args:
        step: names the step where a failure has no endpoint of its own.
        patience: for how long after its first attempt the step waits because Jira says so.
        confirm: the pauses after which a refusal of access is asked about again.
    """
    beat = asyncio.create_task(_heartbeat())
    try:
        with counting() as requests, deadline(STEP_SECONDS):
            yield requests
    except Exception as error:
        info = activity.info()
        left = info.scheduled_time + patience - datetime.now(UTC)
        classified = as_jira_error(error, step)
        trace.get_current_span().set_attribute("error.type", classified.code.value)
        refusals = 1 + _refused_before(info) if refuses_access(classified) else 0
        activity.heartbeat(refusals)
        raise activity_error(classified, info.attempt, left, refusals=refusals, confirm=confirm) from error
    finally:
        beat.cancel()


def _refused_before(info: activity.Info) -> int:
    """How many attempts in a row before this one were refused access: what the last of them left with its beat."""
    return int(info.heartbeat_details[0]) if info.heartbeat_details else 0


async def _heartbeat() -> None:
    """Tell Temporal that the step lives: by the missing beat a killed worker is noticed within seconds.

    Most steps are over before the first beat, which would be one more write of Temporal's.
    """
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        activity.heartbeat()


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
