"""Tell a dead man's switch that notifications would get out: silence is what it raises an alarm about.

Who watches the watcher stands outside: healthchecks.io and its like, or Alertmanager's own. It hears from the notifier
that leads, and only when that one has read the log to its end; so it is silent also when the process is well and the
database is not.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from libs.runtime.network.way_out import WayOut
from services.notifier.delivery.egress import DIRECT, post
from services.notifier.message.types import Result

AGAIN_SECONDS: Final = 30.0
"""After a call that failed."""

log = structlog.get_logger(__name__)


class Heartbeat:
    """One switch. Its address is a secret: whoever knows it can keep the alarm from ringing."""

    def __init__(self, url: str, seconds: float, *, allow_insecure: bool = False, way: WayOut = DIRECT) -> None:
        self._url, self._seconds, self._allow_insecure, self._way = url, seconds, allow_insecure, way
        self._proof = asyncio.Event()

    def beat(self) -> None:
        """The log has been read to its end: good for one call."""
        self._proof.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Call the switch within the block, as often as it is due and there was a proof since the last call."""
        self._proof.clear()
        calling = asyncio.create_task(self._run())
        try:
            yield
        finally:
            calling.cancel()
            await asyncio.wait((calling,))

    async def _run(self) -> None:
        while True:
            await self._proof.wait()
            self._proof.clear()
            reached = await self._call()
            await asyncio.sleep(self._seconds if reached else min(self._seconds, AGAIN_SECONDS))

    async def _call(self) -> bool:
        answer = await post(self._url, {"alive": "notifier"}, allow_insecure=self._allow_insecure, way=self._way)
        if isinstance(answer, Result):
            why, advice = answer.failures[0].message, answer.failures[0].advice
        elif answer.status >= 300:
            why, advice = f"it answers {answer.status}", "Check NOTIFY_HEARTBEAT_URL."
        else:
            return True
        log.warning("the dead man's switch was not told", why=why.replace(self._url, "***"), advice=advice)
        return False
