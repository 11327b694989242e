"""Polling that slows down: a project whose webhooks are proved alive is synced seldom, until they are not.

Proved is what the log shows of each project: a webhook brought a change, and syncs found none that webhooks should have
told of. What is not proved runs by its cron; so does everything when the site's webhooks have fallen silent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from libs.events import (
    TOPIC_OF,
    Append,
    Change,
    ControlEvent,
    EventStore,
    JiraIssueFetched,
    ProjectKey,
    Recorded,
    ScheduleStretched,
    StreamMovedError,
    StretchEnded,
)
from libs.jira_client.failures.errors import ErrorCode
from libs.temporal.cron import BadCron, longest_gap
from libs.temporal.messages import ProjectRef
from services.ingestor.control.known_states import KnownStates
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.control.state import ControlState
from services.ingestor.event_log import EventLog
from services.ingestor.hints.activities import CAUSE
from services.ingestor.hints.silence import AT_ONCE, MISSED, missed_of
from services.ingestor.project_of import control_entity
from services.ingestor.sync.asking.renames import registered_keys

PROVED_FOR: Final = timedelta(days=1)
"""A webhook that brought a change proves the project's for so long."""

MOST_FOUND: Final = 1000
"""Issues of a project that are remembered; a few are enough to know that webhooks do not come."""

ACTOR: Final = "ingestor"

log = structlog.get_logger(__name__)


@dataclass
class Proof:
    """What the log shows of one project's webhooks."""

    brought: datetime | None = None
    """When one of them last brought a change."""
    found: dict[str, datetime] = field(default_factory=dict)
    """Issue → when it changed, as a sync found and no webhook has told since."""

    def see(self, event: JiraIssueFetched) -> None:
        if not event.cause.startswith(CAUSE):
            untold = self.brought is None or event.updated > self.brought
            if untold and (len(self.found) < MOST_FOUND or event.issue_id in self.found):
                self.found[event.issue_id] = event.updated
            return
        self.brought = max(event.occurred_at, self.brought or event.occurred_at)
        self.found = {issue: changed for issue, changed in self.found.items() if changed > self.brought}


def alive(proof: Proof, *, silent: bool, began: datetime, now: datetime) -> bool | None:
    """Whether a project's webhooks are proved alive; None: nothing is known yet, neither way.

    Args:
        proof: of the project.
        silent: whether the site's webhooks have fallen silent.
        began: since when the log is watched.
        now: UTC.
    """
    if silent or missed_of(proof.found, now) >= MISSED:
        return False
    if proof.brought is None:
        return None if now - began <= PROVED_FOR else False
    return now - proof.brought <= PROVED_FOR


def seconds_for(cron: str, seconds: int) -> int:
    """At what interval a schedule may run instead; 0: by its cron.

    One that pauses by itself for as long, as over a night, stays: people have chosen when it runs.
    """
    try:
        return seconds if seconds and longest_gap(cron) < seconds else 0
    except BadCron:
        return 0


class Stretching:
    """Stretches the schedules of one site's projects, and lets them go."""

    def __init__(
        self,
        store: EventStore,
        event_log: EventLog,
        alerts: SiteAlerts,
        site: str,
        seconds: int,
        apply: Callable[[ProjectRef], Awaitable[None]],
    ) -> None:
        """It reads nothing by itself.

        Args:
            store: the event log, as it is read from position to position.
            event_log: the same, for what is decided.
            alerts: of the site.
            site: its short name.
            seconds: from one run to the next while webhooks are alive; 0: by the cron, whatever they are.
            apply: makes Temporal hold what the log says of a project's schedule.
        """
        self._store, self._log, self._states = store, event_log, KnownStates(event_log)
        self._alerts, self._site, self._seconds, self._apply = alerts, site, seconds, apply
        self._position = -1
        self._began: datetime | None = None
        self._proofs: defaultdict[str, Proof] = defaultdict(Proof)
        self._let_go = False
        """Whether all were let go, where nothing is to be stretched."""

    async def look(self, now: datetime) -> None:
        """Stretch what may be, and end what may not.

        Raises:
            StoreError: the log does not answer.
        """
        if not self._seconds and self._let_go:
            return
        self._began = self._began or now
        await asyncio.to_thread(self._read)
        silent = ErrorCode.WEBHOOKS_SILENT.value in await self._alerts.open_codes()
        for key in sorted(await registered_keys(self._log, self._site)):
            known = alive(self._proofs[key], silent=silent, began=self._began, now=now)
            await self._decide(ProjectKey(self._site, key), known, now)
        self._let_go = True

    def _read(self) -> None:
        if self._position < 0:
            self._position = self._store.head()
        while batch := self._store.read(self._position, AT_ONCE, [TOPIC_OF[JiraIssueFetched]]):
            self._position = batch[-1].position
            self._see(batch)

    def _see(self, batch: Iterable[Recorded]) -> None:
        for event in (recorded.event for recorded in batch):
            if isinstance(event, JiraIssueFetched) and event.site == self._site:
                self._proofs[event.project].see(event)

    async def _decide(self, project: ProjectKey, known: bool | None, now: datetime) -> None:
        """Record what is wanted where it is not what there is. Who writes at the same time goes first."""
        stream = ControlEvent.stream_of(project.site, control_entity(project))
        state = await self._states.now(project)
        event = self._event(project, state, known, now)
        if event is None:
            return
        append = Append(changes=[Change(event=event)], expect={stream: state.length})
        with contextlib.suppress(StreamMovedError):
            await self._log.append(append)
            log.info("schedule", project=project.key, decided=type(event).__name__)
            await self._apply(ProjectRef(site=project.site, project=project.key))

    def _event(
        self, project: ProjectKey, state: ControlState, known: bool | None, now: datetime
    ) -> ControlEvent | None:
        """What brings the schedule to what it should be; None where it is."""
        if not state.registered:
            return None
        may_be = seconds_for(state.cron, self._seconds)
        wanted = state.stretch.seconds if known is None and may_be == state.stretch.seconds else may_be * bool(known)
        if wanted == state.stretch.seconds:
            return None
        envelope = ControlEvent.envelope(project.key, project, occurred_at=now, cause=ACTOR)
        if wanted:
            return ScheduleStretched(**envelope, seconds=wanted, anchor=now)
        return StretchEnded(**envelope, reason="webhooks are not proved alive" if may_be else "the settings say so")
