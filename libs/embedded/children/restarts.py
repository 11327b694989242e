"""When a child that died, or was found useless, is started again: soon, then later, up to a minute apart."""

from collections import deque
from typing import Final

FIRST_DELAY: Final = 0.2
LONGEST_DELAY: Final = 60.0
LIMIT: Final = 6
"""More deaths in the window are often. A child that was never ready is given up then."""
WINDOW_SECONDS: Final = 60.0


class Restarts:
    """Deaths of one child. The clock comes from outside: any monotonic seconds."""

    def __init__(self, first: float = FIRST_DELAY, window: float = WINDOW_SECONDS) -> None:
        self._first, self._window = first, window
        self._deaths: deque[float] = deque()
        self._delay = 0.0

    def next_delay(self, now: float) -> float:
        """Seconds until the next start: doubled with every death, until it has lived for a whole window."""
        if self._deaths and now - self._deaths[-1] > self._window + self._delay:
            self._delay = 0.0
        while self._deaths and self._deaths[0] <= now - self._window:
            self._deaths.popleft()
        self._deaths.append(now)
        self._delay = min(max(self._delay * 2, self._first), LONGEST_DELAY)
        return self._delay

    def often(self) -> bool:
        """Whether it has died so often lately that something is wrong that a new start does not mend."""
        return len(self._deaths) > LIMIT or self._delay >= LONGEST_DELAY
