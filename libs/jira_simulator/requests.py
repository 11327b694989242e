"""What has been asked of the simulated Jira: counters, and the last requests in full."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import msgspec

KEPT = 20_000
BODY_KEPT = 4_000
"""Characters of a request's body that are kept."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request to one of Jira's endpoints. Nothing of its credentials is kept."""

    at: str
    method: str
    path: str
    route: str
    """Path with placeholders, such as ``/rest/api/3/issue/{issue}/comment``."""
    query: str
    body: str
    status: int | None
    """None: the connection was reset."""
    milliseconds: float
    fault: str | None


class RequestLog:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.asked: deque[Asked] = deque(maxlen=KEPT)
        self.count = 0
        self.by_route: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.in_flight = 0
        self.peak = 0
        """Most requests in flight at once."""

    def began(self) -> None:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def ended(self, asked: Asked) -> None:
        self.in_flight = max(0, self.in_flight - 1)
        self.count += 1
        self.by_route[f"{asked.method} {asked.route}"] += 1
        self.by_status[str(asked.status or "reset")] += 1
        self.asked.append(asked)

    def summary(self) -> dict[str, Any]:
        """As ``GET /simulator/requests`` shows it, oldest request first."""
        return {
            "count": self.count,
            "peakInFlight": self.peak,
            "byRoute": dict(self.by_route),
            "byStatus": dict(self.by_status),
            "log": list(self.asked),
        }
