"""When a child that died is started again: soon, then later, then no more."""

from collections import deque
from typing import Final

FIRST_DELAY: Final = 0.2
LONGEST_DELAY: Final = 10.0
LIMIT: Final = 6
WINDOW_SECONDS: Final = 60.0


class Restarts:
    """Deaths of one child. The clock comes from outside: any monotonic seconds."""

    def __init__(self, limit: int = LIMIT, window: float = WINDOW_SECONDS) -> None:
        self._limit = limit
        self._window = window
        self._deaths: deque[float] = deque()

    def next_delay(self, now: float) -> float | None:
        """Seconds until the next start, twice as many with every death in the window; None: it died too often."""
        while self._deaths and self._deaths[0] <= now - self._window:
            self._deaths.popleft()
        self._deaths.append(now)
        if len(self._deaths) > self._limit:
            return None
        return float(min(FIRST_DELAY * 2 ** (len(self._deaths) - 1), LONGEST_DELAY))
