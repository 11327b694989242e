"""One child process: in a process group of its own, its output read line by line, and never left behind.

Its own group, because a Ctrl-C on the terminal reaches every process of the foreground group at once, and servers must
outlive the services. On Linux the kernel ends the child when we die, even by SIGKILL (PR_SET_PDEATHSIG).
"""

import asyncio
import contextlib
import math
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.embedded.children.births import Forked, Nursery
from libs.embedded.children.parentage import die_with_parent

READ_BYTES: Final = 65536
LONGEST_LINE: Final = 1_000_000
"""A line without an end is told in parts of this size."""
KILL_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """What to run, and how to see that it is ready.

    `ready` answers None, or the reason why not (yet). `grace_seconds` is the time between SIGTERM and SIGKILL.
    `vital`: without it nothing can begin; of another child that is not ready in time it is said, and the rest goes on.
    `useful`, where there is such a look, is asked again and again while it runs: an answer is the reason why it does
    not do its work although it lives. After `useless_seconds` of that it is started again.
    `refusal`, where there is one, is the exit code by which it says that a setting is wrong: it is not started again.
    (A program in Go ends with 2 when it panics, which a new start may well mend.)
    `lost`, where there is such a look, says why its data are lost while it runs: then it is started again at once. May
    block for a second.
    `late_seconds`: by so much the kernel may let its timers be late, so that many of them make one wake-up.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    ready: Callable[[], Awaitable[str | None]]
    ready_seconds: float = 60.0
    grace_seconds: float = 20.0
    vital: bool = False
    refusal: int | None = None
    of_nursery: bool = False
    """It is a module of Python, which the nursery may become."""
    useful: Callable[[], Awaitable[str | None]] | None = None
    useless_seconds: float = 3.0
    lost: Callable[[], str | None] | None = None
    late_seconds: float = 0.0


class Child:
    """A process made from a spec; `spawn` may be called again after it has ended."""

    def __init__(
        self,
        spec: ChildSpec,
        on_line: Callable[[str, str], None],
        inherited: tuple[int, ...] = (),
        nursery: Nursery | None = None,
    ) -> None:
        self.spec = spec
        self._on_line = on_line
        self._inherited = inherited
        self._nursery = nursery
        self._process: asyncio.subprocess.Process | Forked | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def spawn(self) -> None:
        """Start it. Call from the main thread: the kernel's death signal follows the thread that forked."""
        self._process = process = await self._forked() or await self._executed()
        self._reading = asyncio.create_task(self._read_lines(process), name=f"read {self.spec.name}")

    async def wait(self) -> int:
        """Wait for its end and for its last line; the exit code, negative for a signal."""
        process = self._running()
        code = await process.wait()
        if self._reading is not None:
            # A grandchild may hold the pipe open: its last lines are worth a second, no more.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._reading), 1.0)
        return code

    async def stop(self, grace_seconds: float = math.inf) -> None:
        """SIGTERM to its group; SIGKILL when its grace, or this one, is over."""
        if self.pid is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._running().wait(), min(grace_seconds, self.spec.grace_seconds))
        except TimeoutError:
            self.kill()
        # One that waits for a dead disk cannot even be killed before the disk answers.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), KILL_SECONDS)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)

    async def _forked(self) -> Forked | None:
        if self._nursery is None or not self.spec.of_nursery:
            return None
        return await self._nursery.bear(self.spec.argv, self.spec.environ)

    async def _executed(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.spec.argv,
            env=dict(self.spec.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,
            pass_fds=self._inherited,
            preexec_fn=die_with_parent(os.getpid(), self.spec.late_seconds),
        )

    def _running(self) -> asyncio.subprocess.Process | Forked:
        if self._process is None:
            raise RuntimeError(f"{self.spec.name} was never started: call spawn() first")
        return self._process

    async def _read_lines(self, process: asyncio.subprocess.Process | Forked) -> None:
        if process.stdout is None:
            return
        rest = b""
        while chunk := await process.stdout.read(READ_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._tell(line)
        if rest:
            self._tell(rest)

    def _tell(self, line: bytes) -> None:
        """Whatever becomes of a line: a child whose output is not read any more hangs."""
        with contextlib.suppress(Exception):
            self._on_line(self.spec.name, line.decode(errors="replace").rstrip("\r"))
