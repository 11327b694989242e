"""Alerts of a site as a whole, in the control stream of (site, ""): what no run of a project shows."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from libs.events import (
    AlertEnd,
    AlertRaised,
    AlertResolved,
    Append,
    Change,
    ControlEvent,
    Envelope,
    ProjectKey,
    StreamMovedError,
)
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import control_entity

CAUSE: Final = "ingestor"

ROUNDS: Final = 10
"""Times an alert is decided before giving up: each time another writer was first."""

_NAMESPACE: Final = uuid.UUID("7b0f6d9a-3f53-5c86-8a35-0f1de0a9c2b4")
"""Of alert ids."""


class SiteAlerts:
    """The open alerts of a site, each code once, however many ingestors see the same trouble.

    What is open is read from the log before every decision, and an alert is stored only if the stream has not moved
    since: so neither a restart nor a second ingestor opens one twice.
    """

    def __init__(self, log: EventLog, site: str) -> None:
        self._log, self._site = log, ProjectKey(site, "")
        self._stream = ControlEvent.stream_of(site, control_entity(self._site))
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
        return ControlEvent.envelope(control_entity(self._site), self._site, occurred_at=now, cause=CAUSE)
