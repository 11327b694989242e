"""Wait for the event log: its database may start, or be migrated, later than the process that needs it."""

from collections.abc import Callable
from typing import Final

import structlog

from libs.events.log.damage import log_trouble
from libs.events.log.store import EventStore, open_store
from libs.events.stop import Blocking

RETRY_SECONDS: Final = 1.0
"""Between two looks whether the log is there."""

log = structlog.get_logger(__name__)


def open_when_ready(url: str, stop: Blocking, on_health: Callable[[str | None], None]) -> EventStore | None:
    """Open the event log as soon as it answers and is migrated; None when told to stop before. Blocks its thread.

    `on_health` hears why the log is not open yet; that all is well is for the caller to say, who has more to begin.
    """
    reported = ""
    while not stop.is_set():
        try:
            store = open_store(url)
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own; the reason is shown in /readyz
            why = f"the event log cannot be opened: {log_trouble(url, error)}"
            if why != reported:  # a database may be away for hours
                log.warning("waiting for the event log", why=why)
                reported = why
            on_health(why)
            stop.wait_blocking(RETRY_SECONDS)
        else:
            if reported:
                log.info("the event log is open")
            return store
    return None
