"""One wish to stop, seen by coroutines and threads alike.

Signals arrive on the event loop, the follow loop of the event log waits in a thread: both look at the same `Stop`.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable


class Stop:
    """Set once, never cleared. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._flag = threading.Event()
        self._lock = threading.Lock()
        self._waiters: set[asyncio.Future[None]] = set()
        self._calls: list[Callable[[], None]] = []

    def set(self) -> None:
        with self._lock:
            self._flag.set()
            waiters, calls, self._calls = tuple(self._waiters), self._calls, []
        for call in calls:
            call()
        for waiter in waiters:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits there any more
                waiter.get_loop().call_soon_threadsafe(_wake, waiter)

    def then(self, call: Callable[[], None]) -> None:
        """Have it called when the stop is set, by whoever sets it; at once where it is. It may not fail or block."""
        with self._lock:
            if not self._flag.is_set():
                self._calls.append(call)
                return
        call()

    def is_set(self) -> bool:
        return self._flag.is_set()

    async def wait(self) -> None:
        """Return as soon as the stop is set, without blocking the loop."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._flag.is_set():
                return
            self._waiters.add(waiter)
        try:
            await waiter
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    async def sleep(self, seconds: float) -> bool:
        """Wait for the stop, at most so many seconds; True when it is set."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), seconds)
        return self.is_set()

    def wait_blocking(self, timeout: float | None = None) -> bool:
        """Block the calling thread until the stop is set or `timeout` seconds are over; True when it is set."""
        return self._flag.wait(timeout)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
