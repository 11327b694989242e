"""The one step of `takeUpHintsWorkflow`. It may run again after a crash: what it stored is then no news."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity

from libs.jira_client import JiraClient
from libs.temporal.messages import HintsTakenUp, TakeUpHints
from services.ingestor.event_log import EventLog
from services.ingestor.failures import CONFIRM, PATIENCE
from services.ingestor.hints.fetching import Round
from services.ingestor.hints.places import Places
from services.ingestor.sync.step import asking_jira

LINGER_SECONDS = 0.2
"""Jira sends several webhooks of one change, and of changes that come together."""


CAUSE = "webhook:"
"""What the cause of an event begins with that a webhook has brought, before the id of the run."""


class HintActivities:
    """Takes up the hints of one site."""

    def __init__(
        self,
        log: EventLog,
        jira: JiraClient,
        patience: timedelta = PATIENCE,
        confirm: Sequence[timedelta] = CONFIRM,
        *,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._log, self._jira = log, jira
        self._places = Places(log)
        self._patience, self._confirm = patience, confirm
        self._linger = linger

    @activity.defn
    async def take_up_hints(self, message: TakeUpHints) -> HintsTakenUp:
        """Ask Jira about the issues that hints name, within the budget."""
        await asyncio.sleep(self._linger)
        async with asking_jira("hints", self._patience, self._confirm) as requests:
            cause = f"{CAUSE}{activity.info().workflow_run_id}"
            now = datetime.now(UTC)
            return await Round(self._jira, self._log, message.site, cause, now, requests, self._places).take_up()
