"""What the relay finds in the stream, told to people: as alerts of the site, and as counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from libs.events import Foreign, StoreError, Watcher
from libs.jira_client.failures.errors import ErrorCode
from libs.runtime import Stop
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.relay.measures import FOREIGN, REPAIRED

log = structlog.get_logger(__name__)

QUIET_SECONDS: Final = 3600.0
"""An alert about the stream is over when its kind of trouble was not seen for so long."""
LOOK_SECONDS: Final = 60.0
"""Between two looks whether one is over."""
SETTLE_SECONDS: Final = 1.0
"""Until what the relay has found is told."""


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
