"""Whether what follows the log is in step with it, catches up, or stands still."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from services.cli.checks.findings import Trouble

STEP_SECONDS: Final = 3.0
"""A follower that works takes up an event within a second."""
POLL_SECONDS: Final = 0.1


async def events_behind(head: int, position: Callable[[], Awaitable[int]], standing_still: str) -> int:
    """Events that a follower lacks after a moment's patience; 0 when it has come to the end.

    Args:
        head: the position of the log's last event.
        position: tells how far the follower is.
        standing_still: what to say where it does not move, up to its position.

    Raises:
        Trouble: it lacks some, and gets no more.
    """
    began = reached = await position()
    deadline = time.monotonic() + STEP_SECONDS
    while reached < head:
        if time.monotonic() > deadline:
            if reached == began:
                raise Trouble(f"{standing_still} at event {reached}, {head - reached} behind the log")
            return head - reached
        await asyncio.sleep(POLL_SECONDS)
        reached = await position()
    return 0
