"""How often an address may fail to sign in before it is told to wait. Whoever shows a right token never waits."""

import math
import time
from collections.abc import Callable
from typing import Final

AT_ONCE: Final = 10
"""Failures that are borne in a row."""

SECONDS_EACH: Final = 30.0
"""After this long, one failure is forgotten."""

MAX_ADDRESSES: Final = 10_000


class Attempts:
    """A leaky bucket per address, in memory: whoever restarts the service clears it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}  # failures, and when they were that many

    def failed(self, address: str) -> int:
        """Count a failure: 0, or the seconds after which the next may be made; then this one was not counted."""
        level = self._level(address)
        if level > AT_ONCE - 1:
            return math.ceil((level - (AT_ONCE - 1)) * SECONDS_EACH)
        if len(self._levels) >= MAX_ADDRESSES:
            self._forget()
        self._levels[address] = (level + 1, self._clock())
        return 0

    def _level(self, address: str) -> float:
        level, at = self._levels.get(address, (0.0, 0.0))
        return max(level - (self._clock() - at) / SECONDS_EACH, 0.0)

    def _forget(self) -> None:
        self._levels = {address: each for address, each in self._levels.items() if self._level(address) > 0}
        for address in list(self._levels)[: max(len(self._levels) - MAX_ADDRESSES + 1, 0)]:
            del self._levels[address]
