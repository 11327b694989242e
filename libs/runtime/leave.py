"""The end of a process: in time, whatever hangs in it, and without what disturbs it.

A thread, a clean-up, a terminal that nobody reads may hang. So a thread of its own waits for the signal and then
counts: neither the event loop nor the main thread need still turn.

Temporal's client has native threads that outlive the event loop; one that wakes while the interpreter tears itself
down aborts the process, after its work is done and with a wrong exit code (temporalio/sdk-python issue 300).
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

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


def leave(code: int) -> NoReturn:
    """End the process with this exit code, without the teardown, which takes a while and which the client disturbs.

    Whoever reads what was written last is waited for; by a service that has the client, for a second.
    """
    if "temporalio" in sys.modules:
        within(_last_words)
    else:
        _last_words()
    os._exit(code)


def _last_words() -> None:
    with contextlib.suppress(OSError, ValueError):  # a full disk, or a pipe without a reader, is told by nobody
        logging.shutdown()
        flush()
