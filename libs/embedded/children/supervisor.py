"""Start children stage by stage, keep them alive and at work, stop them in the opposite order."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from libs.embedded.children.births import Nursery
from libs.embedded.children.child import Child, ChildSpec
from libs.embedded.children.last_words import LastWords
from libs.embedded.children.log_stream import readable
from libs.embedded.children.restarts import LIMIT, Restarts
from libs.embedded.children.usefulness import Usefulness
from libs.embedded.errors import StackError

POLL_SECONDS: Final = 0.05
LATE_POLL_SECONDS: Final = 1.0
"""Between two looks at a child that was not ready in time, and at one that is of no use."""
WELL_POLL_SECONDS: Final = 5.0
"""Between two looks at a child that is of use."""
DATA_SECONDS: Final = 10.0
"""Between two looks at the data of a child that works; a hundred times as long as a look takes, where that is more."""
STOP_SECONDS: Final = 9.0
"""For the stop of all stages; what is not gone by then is killed, so that the end comes within 15 s in any case."""
LAST_STAGES_SECONDS: Final = 2.0
"""Of these, so much is kept for the stages that stop last."""
RESTART_GRACE_SECONDS: Final = 3.0
PASSING_GRACE_SECONDS: Final = 2.0


class Supervisor:
    """Keeps a set of children running.

    Args:
        on_line: gets (child, line) for every line of output.
        tell: gets (child, line) for every line about a child; as `on_line` when it is not given.
        on_change: called when the process ids have changed.
        inherited: descriptors that stay open in every child.
        disk: says why there is no room on the disk; None while there is. A child that fails meanwhile is not to blame.
        nursery: makes those children that it can, while it is open.
    """

    def __init__(
        self,
        on_line: Callable[[str, str], None],
        on_change: Callable[[], None] = lambda: None,
        inherited: tuple[int, ...] = (),
        disk: Callable[[], str | None] = lambda: None,
        tell: Callable[[str, str], None] | None = None,
        nursery: Nursery | None = None,
    ) -> None:
        self._inherited = inherited
        self._nursery = nursery
        self._on_line = on_line
        self._tell = tell or on_line
        self._disk = disk
        self._last_words: dict[str, LastWords] = {}
        self._on_change = on_change
        self._stages: list[list[Child]] = []
        self._passing: set[Child] = set()
        """Those that end by themselves."""
        self._keepers: list[asyncio.Task[None]] = []
        self._been_ready: set[str] = set()
        self._sent_away: set[str] = set()
        """Children that were stopped because they were useless."""
        self._stopping = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pids(self) -> dict[str, int]:
        """Name to process id of every child that runs now."""
        children = (child for stage in self._stages for child in stage)
        return {child.spec.name: child.pid for child in children if child.pid is not None}

    async def start(self, specs: Sequence[ChildSpec], *, stops_with_last: bool = False) -> None:
        """Start one stage, all of it at once, and wait until every child of it is ready.

        What is not vital and not ready in time is waited for no longer: it is said, and said again when it is ready.
        With `stops_with_last` it is stopped together with the stage before it, and not earlier.

        Raises:
            StackError: one of them refuses to run, or a vital one is not ready in time.
        """
        stage = [Child(spec, self._take_line, self._inherited, self._nursery) for spec in specs]
        if stops_with_last and self._stages:
            self._stages[-1].extend(stage)
        else:
            self._stages.append(stage)
        for child in stage:
            await self._begin(child)
            self._keep(self._alive(child), f"keep {child.spec.name}")
        self._changed()
        await self._unless_failed(asyncio.gather(*(self._until_ready(child.spec) for child in stage)))
        for child in stage:
            if child.spec.useful is not None:
                self._keep(self._at_work(child, child.spec.useful), f"watch {child.spec.name}")

    async def run(self, spec: ChildSpec, on_line: Callable[[str], None]) -> int:
        """Start a child that ends by itself, and wait for that; its exit code. It is ended when we are cancelled.

        Its output goes nowhere but to `on_line`.
        """
        child = Child(spec, lambda _, line: on_line(line), self._inherited, self._nursery)
        self._passing.add(child)
        try:
            await child.spawn()
            return await child.wait()
        finally:
            await asyncio.shield(child.stop(PASSING_GRACE_SECONDS))
            self._passing.discard(child)

    async def failed(self) -> None:
        """Wait until a child is beyond help.

        Raises:
            StackError: always; the text names the child.
        """
        await asyncio.shield(self._failed)

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop every child, the last stage first; each gets its grace, as far as the time for all of them allows."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=1.0)
        end = time.monotonic() + seconds
        for number, stage in reversed(list(enumerate(self._stages))):
            kept = LAST_STAGES_SECONDS if number else 0.0
            grace = max(0.0, end - kept - time.monotonic())
            await asyncio.gather(*(child.stop(grace) for child in stage))
        if self._failed.done():
            self._failed.exception()  # seen, whoever waited for it

    def kill(self) -> None:
        """Kill every child now, without grace. May be called from another thread."""
        self._stopping = True
        for child in (*self._passing, *(child for stage in self._stages for child in stage)):
            child.kill()

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._keepers.append(asyncio.create_task(work, name=name))

    async def _alive(self, child: Child) -> None:
        """Start it again whenever it has ended."""
        restarts = Restarts()
        while True:
            code = await child.wait()
            if self._stopping:
                return
            try:
                await self._pause(child.spec, code, restarts)
            except StackError as error:
                self._fail(error)
                return
            await self._spawn(child)
            self._changed()

    async def _pause(self, spec: ChildSpec, code: int, restarts: Restarts) -> None:
        """Wait as long as its deaths ask for.

        Raises:
            StackError: it is not to be started again.
        """
        if spec.name in self._sent_away:
            self._sent_away.discard(spec.name)
            return
        words = self._last_words[spec.name]
        last = readable(spec.name, words.text)[1]
        if code == spec.refusal:
            raise StackError(f"{spec.name} refuses to start: {last}", code)
        delay = restarts.next_delay(time.monotonic())
        full = self._disk()
        if restarts.often() and full is None and spec.name not in self._been_ready:
            raise StackError(f"{spec.name} ended {LIMIT + 1} times, the last time with {_ending(code)}: {last}")
        again = ", time and again" if restarts.often() else ""
        why = f"; {full}" if full is not None else f"{again}: {last}" if again or words.are_reason else ""
        self._tell(spec.name, f"ended with {_ending(code)}; starts again in {delay:g} s{why}")
        await asyncio.sleep(delay)

    async def _begin(self, child: Child) -> None:
        self._last_words[child.spec.name] = LastWords()
        await child.spawn()

    async def _spawn(self, child: Child) -> None:
        """Start it, as soon as the machine allows it."""
        while True:
            try:
                await self._begin(child)
            except OSError as error:
                self._tell(child.spec.name, f"cannot be started: {error.strerror}; tried again")
                await asyncio.sleep(LATE_POLL_SECONDS)
            else:
                return

    async def _until_ready(self, spec: ChildSpec) -> None:
        deadline = time.monotonic() + spec.ready_seconds
        while (why := await spec.ready()) is not None:
            if time.monotonic() > deadline:
                late = f"is not ready after {spec.ready_seconds:g} s: {why}"
                if spec.vital and self._disk() is None:
                    raise StackError(f"{spec.name} {late}")
                self._tell(spec.name, f"{late}; the others go on")
                self._keep(self._until_ready_at_last(spec), f"wait for {spec.name}")
                return
            await asyncio.sleep(POLL_SECONDS)
        self._been_ready.add(spec.name)

    async def _until_ready_at_last(self, spec: ChildSpec) -> None:
        while await spec.ready() is not None:  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(LATE_POLL_SECONDS)
        self._been_ready.add(spec.name)
        self._tell(spec.name, "is ready now")

    async def _at_work(self, child: Child, useful: Callable[[], Awaitable[str | None]]) -> None:
        """Start it again when it lives and is of no use, but not before there is room for what it does."""
        usefulness, data = Usefulness(child.spec.useless_seconds), _Data(child.spec.lost)
        pid, has_worked, why = child.pid, True, None
        while True:
            await asyncio.sleep(WELL_POLL_SECONDS if why is None else LATE_POLL_SECONDS)
            why = await useful()
            if child.pid != pid:
                pid, has_worked = child.pid, False
            has_worked = has_worked or why is None
            # One that begins may not have made its data yet.
            lost = await asyncio.to_thread(data.lost, now=why is not None) if has_worked else None
            if child.pid is None:
                continue
            decision = usefulness.judge(time.monotonic(), lost or why, self._disk(), lost=lost is not None)
            if decision.text:
                self._tell(child.spec.name, decision.text)
            if decision.restart:
                self._sent_away.add(child.spec.name)
                await child.stop(RESTART_GRACE_SECONDS)

    def _take_line(self, name: str, text: str) -> None:
        self._last_words[name].hear(text)
        self._on_line(name, text)

    def _changed(self) -> None:
        try:
            self._on_change()
        except OSError as error:
            self._tell("jdi", f"where the parts run cannot be written down: {error.strerror}")

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    async def _unless_failed(self, ready: asyncio.Future[list[None]]) -> None:
        waited: set[asyncio.Future[Any]] = {ready, self._failed}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
        finally:
            # Also when the start itself is called off: what nobody waits for any more would complain at the end.
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)
        ready.result()


class _Data:
    """Looks at the data of a child, but not all the time: a look reads them."""

    def __init__(self, look: Callable[[], str | None] | None) -> None:
        self._look = look
        self._not_before = 0.0

    def lost(self, *, now: bool) -> str | None:
        """Why they are lost; None when they are not, or when it is too early for a look, and there need be none `now`.

        Blocks.
        """
        began = time.monotonic()
        if self._look is None or (began < self._not_before and not now):
            return None
        found = self._look()
        took = time.monotonic() - began
        self._not_before = began + max(DATA_SECONDS, 100 * took)
        return found


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
