"""Counts the calls that Python makes, in every thread: the same work makes the same number of them on any machine.

Time says more, and so would instructions; but time depends on what else runs, and instructions need a processor's
counters or an emulator that takes fifty times as long. What is done once more for each issue, calls show as well.
"""

from __future__ import annotations

import inspect
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

OURS: Final = (str(Path(__file__).parents[2]), f"{os.sep}site-packages{os.sep}")
"""Code of the repository, and of libraries whose versions are locked; that of Python itself changes with each patch."""
BY_CHANCE: Final = (
    *(f"{os.sep}site-packages{os.sep}{name}{os.sep}" for name in ("anyio", "h11", "httpcore", "httpx")),
    *(f"{os.sep}site-packages{os.sep}{name}{os.sep}" for name in ("nats", "temporalio")),
    str(Path(__file__).parent),
)
"""Of these, where calls depend on when something arrives and in how many pieces."""

STATEMENTS: Final = frozenset({"execute", "executemany", "executescript"})
_RESUMED: Final = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
"""Such code is called again each time that something it has waited for has come."""


class Calls:
    """What was counted since the process began to count."""

    def __init__(self) -> None:
        self.made = 0
        """Of functions of that code, and of C by that code."""
        self.statements = 0
        """Asked of SQLite; many rows by one statement are one."""
        self._counted: dict[CodeType, bool] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """A profile function of the interpreter."""
        if event == "call":
            if self._counts(frame.f_code) and not frame.f_code.co_flags & _RESUMED:
                self.made += 1
        elif event == "c_call" and self._counts(frame.f_code):
            self.made += 1
            if argument.__name__ in STATEMENTS and _is_sqlites(argument):
                self.statements += 1

    def _counts(self, code: CodeType) -> bool:
        known = self._counted.get(code)
        if known is None:
            file = code.co_filename
            known = any(part in file for part in OURS) and not any(part in file for part in BY_CHANCE)
            self._counted[code] = known
        return known


def _is_sqlites(function: Any) -> bool:
    return isinstance(getattr(function, "__self__", None), sqlite3.Cursor | sqlite3.Connection)


@contextmanager
def counting() -> Iterator[Calls]:
    """Counts what this thread does meanwhile, and every thread that begins meanwhile."""
    calls = Calls()
    threading.setprofile(calls)
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
