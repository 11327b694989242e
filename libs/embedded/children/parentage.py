"""A child ends when its parent does, whatever ended that one. Linux alone can promise it."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None  # loaded before any fork


def end_with(parent: int) -> bool:
    """Have this process ended by SIGTERM when the thread ends that is its parent now; False when that is over."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    return os.getppid() == parent


def die_with_parent(parent: int) -> Callable[[], None]:
    """To be called in a child between its fork and the start of its program."""

    def before_exec() -> None:
        if _LIBC is not None and not end_with(parent):  # it died between the fork and the line above
            os._exit(1)

    return before_exec


def take_orphans(wanted: bool) -> None:
    """Whether a process whose parent has ended, among all that come from us, becomes a child of ours."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)
