"""Webhooks that have fallen silent while syncs go on to find changes: told, for people count on what comes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from libs.events import TOPIC_OF, EventStore, JiraIssueFetched, Recorded
from libs.events.hints import Heard, heard_checkpoint
from libs.jira_client.failures.errors import ErrorCode
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.hints.activities import CAUSE

QUIET = timedelta(minutes=15)
"""A change that old has had its webhook: Jira sends at once, and after a bulk change within fifteen minutes."""

MISSED = 3
"""Issues that syncs found changed, and no webhook told of, from which on the silence is no chance."""

GIVEN_UP = timedelta(days=7)
"""Nobody misses webhooks any more that were silent for so long: they were taken away."""

AT_ONCE = 1000
"""Events that one look reads at a time."""


class Silence:
    """Compares what is heard with what syncs find, as the log grows."""

    def __init__(self, store: EventStore, alerts: SiteAlerts, site: str) -> None:
        self._store, self._alerts, self._site = store, alerts, site
        self._position = -1
        """In the log, up to which it was read; below 0 before the first look, for what was before is of no account."""
        self._found: dict[str, datetime] = {}
        """Issue → when it changed, as a sync found."""

    async def look(self, now: datetime) -> None:
        """Raise the alert, or end it.

        Raises:
            StoreError: the log does not answer.
        """
        heard = await asyncio.to_thread(self._read, now)
        if heard is None:
            return
        self._found = {issue: changed for issue, changed in self._found.items() if changed > heard.at}
        missed = missed_of(self._found, now)
        if silent(heard, missed, now):
            await self._alerts.raise_once(
                ErrorCode.WEBHOOKS_SILENT,
                f"Syncs found {missed} issues changed since the last webhook came, at {heard.at:%Y-%m-%d %H:%M} UTC.",
            )
        elif not missed or now - heard.at > GIVEN_UP:
            await self._alerts.resolve(ErrorCode.WEBHOOKS_SILENT)

    def _read(self, now: datetime) -> Heard | None:
        """What was heard last; and what syncs have found since the last look, where anybody may miss a webhook."""
        stored = self._store.checkpoint(heard_checkpoint(self._site))
        heard = None if stored is None else msgspec.json.decode(stored, type=Heard)
        if self._position < 0 or heard is None or now - heard.at > GIVEN_UP:
            self._position = self._store.head()
            self._found = {}
            return heard
        while batch := self._store.read(self._position, AT_ONCE, [TOPIC_OF[JiraIssueFetched]]):
            self._position = batch[-1].position
            self._found |= found_by_syncs(batch, self._site)
        return heard


def found_by_syncs(batch: Iterable[Recorded], site: str) -> dict[str, datetime]:
    """Issues of which a sync stored a change, and when they changed."""
    return {
        event.issue_id: event.updated
        for event in (recorded.event for recorded in batch)
        if isinstance(event, JiraIssueFetched) and event.site == site and not event.cause.startswith(CAUSE)
    }


def missed_of(found: Mapping[str, datetime], now: datetime) -> int:
    """How many of the issues changed so long ago that their webhook should have come by now."""
    return sum(now - changed > QUIET for changed in found.values())


def silent(heard: Heard, missed: int, now: datetime) -> bool:
    """Whether webhooks have fallen silent."""
    return missed >= MISSED and QUIET < now - heard.at <= GIVEN_UP
