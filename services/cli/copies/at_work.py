"""What changes a log as a whole is done while nobody writes to it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from libs.events import leadership

LEADERS: Final = {
    "ingestor": "an ingestor",
    "relay": "a relay",  # or an ingestor of a former version, which relayed
    "telemetry": "telemetry",
    "notifier": "a notifier",
}
"""Locks beside the log, and who holds them while at work."""


class AtWorkError(RuntimeError):
    """Somebody writes to the log; the text says who, and what to do."""


@contextlib.asynccontextmanager
async def nobody_at_work(url: str) -> AsyncIterator[None]:
    """Hold the places of those who write to the log at `url`, so that none begins meanwhile.

    Raises:
        AtWorkError: somebody is at work.
    """
    async with contextlib.AsyncExitStack() as locks:
        for name, who in LEADERS.items():
            if await locks.enter_async_context(leadership(url, name)) is None:
                raise AtWorkError(f"{who} is at work on this log; stop all services first")
        yield
