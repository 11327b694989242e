"""A bell beside a file: who has written there rings it; who waits hears it at once, without looking time and again.

The bell is an empty file. To ring is to open it, which leaves no trace on the disk; the kernel tells those that listen
(inotify, on Linux). Elsewhere, and where the kernel has no more listeners to give, nobody hears: look for yourself.
"""

import contextlib
import ctypes
import os
import select
import sys
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_OPENED: Final = 0x20
"""IN_OPEN."""
_ROOM: Final = 65536


class Ear:
    """Hears one bell. Not to be used by two threads at once.

    Raises:
        OSError: nobody can listen here.
    """

    def __init__(self, bell: Path) -> None:
        self._descriptor = -1
        if _LIBC is None:
            raise OSError("this system tells nobody of a file that is opened")
        os.close(os.open(bell, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o600))
        self._descriptor = _sound(_LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            self._file = bell.stat()
            _sound(_LIBC.inotify_add_watch(self._descriptor, os.fsencode(bell), _OPENED))
        except OSError:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def is_at(self, bell: Path) -> bool:
        """Whether the file there is still the one that it hears."""
        try:
            return os.path.samestat(bell.stat(), self._file)
        except OSError:
            return False

    def heard(self) -> bool:
        """Whether the bell has rung since this was asked last."""
        try:
            return bool(os.read(self._descriptor, _ROOM))
        except BlockingIOError:
            return False

    def wait(self, seconds: float) -> None:
        """Wait until the bell rings, or has rung since it was asked last; at most so many seconds."""
        self._poll.poll(seconds * 1000)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = close


class Bell:
    """The bell of one file. For any number of threads.

    Args:
        file: where it hangs; made by whoever listens first.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ears: list[Ear] = []
        """Those that nobody uses just now: to give one back to the kernel takes long."""

    def ring(self) -> None:
        """Tell who listens. Never fails: who hears nothing looks for himself, after a while."""
        with contextlib.suppress(OSError):
            os.close(os.open(self._file, os.O_RDONLY | os.O_CLOEXEC))

    def listen(self) -> Ear | None:
        """An ear, to be given back; None where there is none to be had."""
        while self._ears:
            ear = self._ears.pop()
            if ear.is_at(self._file):
                return ear
            ear.close()
        try:
            return Ear(self._file)
        except OSError:
            return None

    def give_back(self, ear: Ear) -> None:
        self._ears.append(ear)

    def close(self) -> None:
        while self._ears:
            self._ears.pop().close()


def _sound(outcome: int) -> int:
    if outcome < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return outcome
