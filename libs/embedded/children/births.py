"""Our side of the nursery: ask it for a child, and know the child as if we had started it.

Linux alone can do that. Elsewhere, and when the nursery fails in any way, a child is started as usual.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from libs.embedded.children.nursery import PID_BYTES, Wanted
from libs.embedded.children.parentage import die_with_parent, take_orphans

BIRTH_SECONDS: Final = 30.0
"""A busy machine may take long for the imports of the first."""
END_SECONDS: Final = 2.0
AVAILABLE: Final = sys.platform == "linux"


class Forked:
    """A child that the nursery made, with what is used of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader) -> None:
        self.pid, self.stdout = pid, stdout
        self.returncode: int | None = None
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._descriptor = os.pidfd_open(pid)
        loop.add_reader(self._descriptor, self._reap)

    async def wait(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        return await asyncio.shield(self._ended)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended.set_result(self.returncode)


class Nursery:
    """Makes children for as long as it is open.

    Args:
        modules: what it imports before the first child, and then, before the next that has not been asked for yet.
        environ: what it may see itself: nothing secret.
        inherited: descriptors that stay open in every child.
    """

    def __init__(
        self, modules: Sequence[Sequence[str]], environ: Mapping[str, str], inherited: tuple[int, ...] = ()
    ) -> None:
        self._modules, self._environ, self._inherited = modules, environ, inherited
        self._process: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._asking: asyncio.Future[Forked] | None = None
        self._busy = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def open(self) -> None:
        """Start it; it imports while we go on. Call from the main thread, whose end is that of the children."""
        if not AVAILABLE:
            return
        take_orphans(True)
        ours, theirs = socket.socketpair()
        argv = (sys.executable, "-m", "libs.embedded.children.nursery", str(os.getpid()), str(theirs.fileno()))
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                *(",".join(group) for group in self._modules),
                env={**self._environ, "PYTHONUNBUFFERED": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # what cannot be imported is told by the service that needs it
                process_group=0,
                pass_fds=(theirs.fileno(), *self._inherited),
                preexec_fn=die_with_parent(os.getpid()),
            )
        ours.setblocking(False)
        self._socket = ours

    async def bear(self, argv: Sequence[str], environ: Mapping[str, str]) -> Forked | None:
        """A child that runs `argv`, `python -m …`, in a process group of its own; None: start it otherwise."""
        async with self._busy:
            if self._socket is None:
                return None
            wanted = Wanted(argv=[*argv], environ={**environ})
            self._asking = asking = asyncio.ensure_future(self._asked(self._socket, wanted))
            try:
                return await asyncio.shield(asking)
            except asyncio.CancelledError:
                asking.add_done_callback(_kill_unwanted)
                raise
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._end()
                return None

    async def close(self) -> None:
        """Let it end: its children stay. May be called again."""
        async with self._busy:
            if self._asking is not None:
                await asyncio.wait([self._asking], timeout=END_SECONDS)
            await self._end()

    def kill(self) -> None:
        """End it at once. May be called from another thread."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _asked(self, connection: socket.socket, wanted: Wanted) -> Forked:
        reading, writing = os.pipe2(os.O_CLOEXEC)
        stdout = await _reader_of(reading)
        with os.fdopen(writing, "wb", buffering=0) as output, _told(wanted) as told:
            socket.send_fds(connection, [b"?"], [output.fileno(), told.fileno()])
        answer = b""
        while len(answer) < PID_BYTES:
            part = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, PID_BYTES), BIRTH_SECONDS)
            if not part:
                raise asyncio.IncompleteReadError(answer, PID_BYTES)
            answer += part
        return Forked(int.from_bytes(answer, "big"), stdout)

    async def _end(self) -> None:
        if self._socket is None or self._process is None:
            return
        self._socket.close()
        self._socket = None
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            self.kill()
            await self._process.wait()
        take_orphans(False)


def _kill_unwanted(asking: "asyncio.Future[Forked]") -> None:
    """Nobody waited for the end of its birth."""
    if not asking.cancelled() and asking.exception() is None:
        os.kill(asking.result().pid, signal.SIGKILL)


async def _reader_of(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    file = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return reader


@contextlib.contextmanager
def _told(wanted: Wanted) -> Iterator[BinaryIO]:
    """A file without a name that holds it."""
    with os.fdopen(os.memfd_create("wanted", os.MFD_CLOEXEC), "w+b") as file:
        file.write(json.dumps(wanted).encode())
        file.seek(0)
        yield file
