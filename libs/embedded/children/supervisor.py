"""Start children stage by stage, keep them alive, stop them in the opposite order."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from libs.embedded.children.child import Child, ChildSpec
from libs.embedded.children.log_stream import readable
from libs.embedded.children.restarts import LIMIT, WINDOW_SECONDS, Restarts
from libs.embedded.errors import StackError

POLL_SECONDS: Final = 0.05
MISCONFIGURED: Final = 2
"""The exit code of a service that has found a setting wrong: starting it again would not help."""


class Supervisor:
    """Keeps a set of children running.

    Args:
        on_line: gets (child, line) for every line of output.
        on_change: called when the process ids have changed.
        inherited: descriptors that stay open in every child.
    """

    def __init__(
        self,
        on_line: Callable[[str, str], None],
        on_change: Callable[[], None] = lambda: None,
        inherited: tuple[int, ...] = (),
    ) -> None:
        self._inherited = inherited
        self._on_line = on_line
        self._last_lines: dict[str, str] = {}
        self._on_change = on_change
        self._stages: list[list[Child]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pids(self) -> dict[str, int]:
        """Name to process id of every child that runs now."""
        children = (child for stage in self._stages for child in stage)
        return {child.spec.name: child.pid for child in children if child.pid is not None}

    async def start(self, specs: Sequence[ChildSpec]) -> None:
        """Start one stage, all of it at once, and wait until every child of it is ready.

        Raises:
            StackError: one of them refuses to run, or is not ready in time.
        """
        stage = [Child(spec, self._take_line, self._inherited) for spec in specs]
        self._stages.append(stage)
        for child in stage:
            await child.spawn()
            self._keepers.append(asyncio.create_task(self._keep(child), name=f"keep {child.spec.name}"))
        self._on_change()
        await self._unless_failed(asyncio.gather(*(_until_ready(child.spec) for child in stage)))

    async def failed(self) -> None:
        """Wait until a child is beyond help.

        Raises:
            StackError: always; the text names the child.
        """
        await asyncio.shield(self._failed)

    async def stop(self) -> None:
        """Stop every child, the last stage first; each gets its grace."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(child.stop() for child in stage))
        if self._failed.done():
            self._failed.exception()  # seen, whoever waited for it

    def kill(self) -> None:
        """Kill every child now, without grace."""
        self._stopping = True
        for stage in self._stages:
            for child in stage:
                child.kill()

    async def _keep(self, child: Child) -> None:
        restarts = Restarts()
        while True:
            code = await child.wait()
            if self._stopping:
                return
            try:
                delay = self._next_delay(child.spec.name, code, restarts)
                self._on_line(child.spec.name, f"ended with {_ending(code)}; starts again in {delay:g} s")
                await asyncio.sleep(delay)
                await child.spawn()
            except (StackError, OSError) as error:
                self._fail(error)
                return
            self._on_change()

    def _next_delay(self, name: str, code: int, restarts: Restarts) -> float:
        if code == MISCONFIGURED:
            raise StackError(f"{name} refuses to start: {self._last_line(name)}", MISCONFIGURED)
        delay = restarts.next_delay(time.monotonic())
        if delay is None:
            often = f"{LIMIT + 1} times within {WINDOW_SECONDS:g} s"
            raise StackError(f"{name} ended {often}, the last time with {_ending(code)}: {self._last_line(name)}")
        return delay

    def _last_line(self, name: str) -> str:
        return readable(name, self._last_lines.get(name, "it said nothing"))[1]

    def _take_line(self, name: str, text: str) -> None:
        if text.strip():
            self._last_lines[name] = text
        self._on_line(name, text)

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    async def _unless_failed(self, ready: asyncio.Future[list[None]]) -> None:
        waited: set[asyncio.Future[Any]] = {ready, self._failed}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)
            self._failed.result()
        ready.result()


async def _until_ready(spec: ChildSpec) -> None:
    deadline = time.monotonic() + spec.ready_seconds
    while (why := await spec.ready()) is not None:
        if time.monotonic() > deadline:
            raise StackError(f"{spec.name} is not ready after {spec.ready_seconds:g} s: {why}")
        await asyncio.sleep(POLL_SECONDS)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
