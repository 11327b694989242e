"""The end of a process comes in time, whatever hangs in it: a thread, a clean-up, a terminal that nobody reads.

A thread of its own waits for the signal and then counts: neither the event loop nor the main thread need still turn.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

STOP_SECONDS: Final = 12.0
"""After a SIGTERM a process is gone by then, one way or the other."""
LAST_WORDS_SECONDS: Final = 1.0
"""A reader that has stopped reading is not waited for longer."""


class Deadline:
    """Ends the process when it has not ended by itself in so many seconds after a signal.

    Args:
        seconds: from the first signal on.
        last: done before the end, in a thread; may block, for it is given `LAST_WORDS_SECONDS`.
        code: exit code of an end that had to be forced.
    """

    def __init__(self, seconds: float, last: Callable[[], None] = lambda: None, code: int = 0) -> None:
        self._seconds, self._last, self._code = seconds, last, code
        self._asked = threading.Event()

    def listen(self, *numbers: signal.Signals) -> None:
        """Begin to count when one of these comes. To be called from the main thread, after the loop's own handlers."""
        threading.Thread(target=self._wait, name="deadline", daemon=True).start()
        for number in numbers:
            # Beside the loop's own: that one is told by its pipe, and this one even where a write blocks the main
            # thread, for a handler set here interrupts it.
            signal.signal(number, self._heard)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self._asked.set()

    def _wait(self) -> None:
        self._asked.wait()
        threading.Event().wait(self._seconds)
        within(self._last)
        os._exit(self._code)


def within(work: Callable[[], None], seconds: float = LAST_WORDS_SECONDS) -> bool:
    """Do something that may block, and wait so long for it; False when it was not done by then."""
    thread = threading.Thread(target=work, name="last words", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def flush() -> None:
    """Hand on what was written; may block where nobody reads."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
