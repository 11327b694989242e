"""What a child of ours takes over before its program starts. Linux alone can promise it; elsewhere it is left out.

It ends when its parent does, whatever ended that one. Where that is wanted, its timers may be late.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_TIMERSLACK: Final = 29
PR_SET_CHILD_SUBREAPER: Final = 36
NANOSECONDS: Final = 1_000_000_000
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None  # loaded before any fork


def end_with(parent: int) -> bool:
    """Have this process ended by SIGTERM when the thread ends that is its parent now; False when that is over."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    return os.getppid() == parent


def die_with_parent(parent: int, late_seconds: float = 0.0) -> Callable[[], None]:
    """To be called in a child between its fork and the start of its program.

    Args:
        parent: the process that forks.
        late_seconds: by so much each of its timers may be late, so that many make one wake-up; 0: as usual.
    """

    def before_exec() -> None:
        if _LIBC is None:
            return
        if late_seconds:
            _LIBC.prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(int(late_seconds * NANOSECONDS)))
        if not end_with(parent):  # it died between the fork and the line above
            os._exit(1)

    return before_exec


def take_orphans(wanted: bool) -> None:
    """Whether a process whose parent has ended, among all that come from us, becomes a child of ours."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)
