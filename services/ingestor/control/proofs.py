"""Only what carries proof is carried out: to reach Temporal is no authority."""

from __future__ import annotations

from typing import Final

import structlog

from libs.temporal.commands import FORGED_COMMAND
from libs.temporal.messages import Command, OpenGate
from libs.temporal.proof import doubt
from services.ingestor.control.refusals import RefusedError
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.measures import FORGED

SHOWN: Final = 100
"""Characters of a field of a message that nobody vouches for."""

log = structlog.get_logger()


class Proofs:
    """Looks at the proof of what comes through Temporal, and tells people of what has none."""

    def __init__(self, event_log: EventLog, alerts: SiteAlerts) -> None:
        self._log, self._alerts = event_log, alerts

    async def check(self, message: Command | OpenGate) -> None:
        """Let through what is ours.

        Raises:
            RefusedError: it is not; people have been told.
            StoreError: the log does not answer, so nothing is known and nothing told.
        """
        why = doubt(message, await self._log.command_key())
        if why is None:
            return
        FORGED.inc()
        kind = type(message).__name__
        about = {name: str(getattr(message, name, ""))[:SHOWN] for name in ("site", "project", "actor", "command_id")}
        log.error("a command was refused", kind=kind, **about, why=why)
        await self._alerts.raise_once(
            FORGED_COMMAND,
            f"Temporal held a {kind} that names {about['actor']!r} as who gave it"
            f" (project {about['project']!r}). It was refused. {why}",
        )
        raise RefusedError(FORGED_COMMAND, f"The command was refused. {why}")
