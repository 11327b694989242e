"""Alerts of a site as a whole, in the control stream of (site, ""): what no run of a project shows.

`SiteAlerts` holds them for whoever sees such trouble; `StreamAlerts` tells it of what the relay finds in the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from libs.events import (
    AlertEnd,
    AlertRaised,
    AlertResolved,
    Append,
    Change,
    ControlEvent,
    Envelope,
    Foreign,
    ProjectKey,
    StoreError,
    StreamMovedError,
    Watcher,
)
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from libs.runtime import Stop
from services.ingestor.event_log import EventLog
from services.ingestor.measures import FOREIGN, REPAIRED

log = structlog.get_logger(__name__)

CAUSE: Final = "ingestor"

ROUNDS: Final = 10
"""Times an alert is decided before giving up: each time another writer was first."""

QUIET_SECONDS: Final = 3600.0
"""An alert about the stream is over when its kind of trouble was not seen for so long."""
LOOK_SECONDS: Final = 60.0
"""Between two looks whether one is over."""
SETTLE_SECONDS: Final = 1.0
"""Until what the relay has found is told."""

_NAMESPACE: Final = uuid.UUID("7b0f6d9a-3f53-5c86-8a35-0f1de0a9c2b4")
"""Of alert ids."""


class SiteAlerts:
    """The open alerts of a site, each code once, however many ingestors see the same trouble.

    What is open is read from the log before every decision, and an alert is stored only if the stream has not moved
    since: so neither a restart nor a second ingestor opens one twice.
    """

    def __init__(self, log: EventLog, site: str) -> None:
        self._log, self._site = log, ProjectKey(site, "")
        self._stream = ControlEvent.stream_of(site, site)
        self._length = 0
        self._open: dict[str, AlertRaised] = {}
        self._one_at_a_time = asyncio.Lock()

    async def raise_once(self, code: str, message: str) -> None:
        """Open an alert; while one of its code is open, acknowledged or not, do nothing.

        Args:
            code: an `ErrorCode`; its rule says the rest.
            message: what happened, for people.

        Raises:
            StoreError: the log does not answer; nothing is raised.
        """

        def decided() -> ControlEvent | None:
            known = any(alert.code == code for alert in self._open.values())
            return None if known else self._raised(ErrorCode(code), message)

        await self._append(decided)

    async def resolve(self, code: str) -> None:
        """End the alert of a code as recovered; without one, do nothing.

        Raises:
            StoreError: the log does not answer; nothing is resolved.
        """

        def decided() -> ControlEvent | None:
            return next((self._resolved(alert) for alert in self._open.values() if alert.code == code), None)

        await self._append(decided)

    async def open_codes(self) -> frozenset[str]:
        """The codes of which an alert is open, as the log says now.

        Raises:
            StoreError: the log does not answer.
        """
        async with self._one_at_a_time:
            await self._look()
            return frozenset(alert.code for alert in self._open.values())

    async def _append(self, decide: Callable[[], ControlEvent | None]) -> None:
        """Store what is decided on the alerts as they are; again where another ingestor was first."""
        async with self._one_at_a_time:
            for _ in range(ROUNDS):
                await self._look()
                event = decide()
                if event is None:
                    return
                with contextlib.suppress(StreamMovedError):
                    await self._log.append(Append(changes=[Change(event=event)], expect={self._stream: self._length}))
                    return
        raise RuntimeError(f"The alerts of {self._site.site} are being changed by others all the time.")

    async def _look(self) -> None:
        """Read what the stream has got since the last look."""
        for event in await self._log.stream(self._stream, self._length):
            self._length += 1
            if isinstance(event, AlertRaised):
                self._open[event.alert_id] = event
            elif isinstance(event, AlertResolved):
                self._open.pop(event.alert_id, None)

    def _raised(self, code: ErrorCode, message: str) -> AlertRaised:
        rule, now = RULES[code], datetime.now(UTC)
        fingerprint = hashlib.sha256(f"{self._site.site}//{code}".encode()).hexdigest()[:16]
        return AlertRaised(
            **self._envelope(now),
            alert_id=str(uuid.uuid5(_NAMESPACE, f"{fingerprint}/{self._length}")),
            fingerprint=fingerprint,
            code=code.value,
            category=rule.category.value,
            severity=rule.severity.value,
            message=message,
            advice=rule.advice,
            docs=rule.docs,
            first_seen=now,
            last_seen=now,
            count=1,
        )

    def _resolved(self, alert: AlertRaised) -> AlertResolved:
        return AlertResolved(
            **self._envelope(datetime.now(UTC)),
            alert_id=alert.alert_id,
            fingerprint=alert.fingerprint,
            code=alert.code,
            end=AlertEnd.RECOVERED,
            first_seen=alert.first_seen,
            count=alert.count,
        )

    def _envelope(self, now: datetime) -> Envelope:
        return ControlEvent.envelope(self._site.site, self._site, occurred_at=now, cause=CAUSE)


class StreamAlerts(Watcher):
    """Raises and resolves the alerts about the stream, and counts what the relay finds in it."""

    def __init__(self, alerts: SiteAlerts, site: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._alerts, self._now = alerts, monotonic
        self._foreign, self._repaired = FOREIGN.labels(site), REPAIRED.labels(site)
        self._leads = False
        self._to_raise: dict[ErrorCode, str] = {}
        self._over: set[ErrorCode] = set()
        self._seen = dict.fromkeys((ErrorCode.FOREIGN_MESSAGE, ErrorCode.STREAM_GAP), monotonic())
        """When each was last seen, or could have been."""

    def foreign(self, messages: Sequence[Foreign]) -> None:
        self._foreign.inc(len(messages))
        many = "a message" if len(messages) == 1 else f"{len(messages)} messages"
        self._saw(ErrorCode.FOREIGN_MESSAGE, f"Somebody else has published {many} into the stream: {messages[0]}.")

    def repaired(self, positions: Sequence[int]) -> None:
        self._repaired.inc(len(positions))
        many = "1 event" if len(positions) == 1 else f"{len(positions)} events"
        self._saw(
            ErrorCode.STREAM_GAP,
            f"The stream lacked {many}, from position {positions[0]} on. They are published again, behind later ones.",
        )

    def other_life(self, why: str | None) -> None:
        self._leads = True
        code = ErrorCode.LOG_BEHIND_STREAM
        if why is None:
            self._to_raise.pop(code, None)
            self._over.add(code)
        else:
            self._to_raise[code] = why
            self._over.discard(code)

    def standby(self) -> None:
        self._leads = False

    def _saw(self, code: ErrorCode, message: str) -> None:
        self._seen[code] = self._now()
        self._to_raise.setdefault(code, message)

    async def run(self, stop: Stop) -> None:
        """Keep the alerts until told to stop. What the log does not take is tried again."""
        looked = self._now()
        while not await stop.sleep(SETTLE_SECONDS):
            if self._to_raise or self._over or self._now() - looked > LOOK_SECONDS:
                looked = self._now()
                try:
                    await self.settle()
                except StoreError as error:
                    log.warning("alerts of the site wait for the event log", why=str(error))

    async def settle(self) -> None:
        """Raise what was seen, and resolve what is over.

        Raises:
            StoreError: the log does not answer.
        """
        for code, message in list(self._to_raise.items()):
            await self._alerts.raise_once(code, message)
            self._to_raise.pop(code, None)
        if not self._leads:
            return
        quiet = {code for code, seen in self._seen.items() if self._now() - seen > QUIET_SECONDS}
        for code in sorted((self._over | quiet) & await self._alerts.open_codes()):
            await self._alerts.resolve(code)
        self._over.clear()
