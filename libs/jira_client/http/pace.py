"""The pace of requests to one site: a token bucket, a gate that is closed until a time, and a number of slots.

Clock, sleep and random come in as arguments, so that every rule can be tested without waiting.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from libs.jira_client.failures.errors import JiraError


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Where time and chance come from."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: random.Random = field(default_factory=random.Random)


class TokenBucket:
    """`rate` requests per second on average, `burst` at once after a quiet time; first come, first served."""

    def __init__(self, rate: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._tokens = float(burst)
        self._at = monotonic()

    def reserve(self) -> float:
        """Takes one token, if need be one that is not there yet; gives the seconds until it is."""
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)


class Gate:
    """Closed until a time, for the whole site or one endpoint, and it remembers which failure closed it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._closed: dict[str | None, tuple[float, JiraError]] = {}

    def close(self, endpoint: str | None, seconds: float, error: JiraError) -> None:
        """Nothing passes for `seconds` (None: at no endpoint). A closing already longer stays."""
        until = self._monotonic() + seconds
        if until > self._closed.get(endpoint, (0.0, error))[0]:
            self._closed[endpoint] = (until, error)

    def wait(self, endpoint: str) -> tuple[float, JiraError | None]:
        """Seconds until a request to `endpoint` may go out, and the failure to blame; (0, None) when open."""
        now = self._monotonic()
        self._closed = {key: entry for key, entry in self._closed.items() if entry[0] > now}
        entries = [self._closed[key] for key in (None, endpoint) if key in self._closed]
        until, error = max(entries, key=lambda entry: entry[0], default=(now, None))
        return until - now, error

    def closed(self) -> dict[str | None, float]:
        """Seconds until it opens again, by endpoint (None: the whole site), of all that are closed; for any thread."""
        now = self._monotonic()
        return {key: until - now for key, (until, _) in self._closed.copy().items() if until > now}


class Limits:
    """What all requests to one site share; give one instance to every client of that site."""

    def __init__(
        self,
        *,
        requests_per_second: float,
        burst: int,
        max_concurrency: int,
        longest_wait_seconds: float,
        pulse: Pulse | None = None,
    ) -> None:
        self.pulse = pulse or Pulse()
        self.gate = Gate(self.pulse.monotonic)
        self._bucket = TokenBucket(requests_per_second, burst, self.pulse.monotonic)
        self._slots = asyncio.Semaphore(max_concurrency)
        self._longest_wait = longest_wait_seconds

    @asynccontextmanager
    async def admission(self, endpoint: str) -> AsyncIterator[None]:
        """Waits for the gate, a token and a slot; a request that waits for the gate occupies no slot.

        Raises the failure that closed the gate when the wait would be longer than a call may sleep.
        """
        await self._pass_gate(endpoint)
        await self._take_token()
        while True:
            await self._pass_gate(endpoint)
            async with self._slots:
                # The gate may have been closed while we queued; then the slot goes to somebody else.
                if self.gate.wait(endpoint)[0] <= 0:
                    yield
                    return

    async def _pass_gate(self, endpoint: str) -> None:
        while True:
            seconds, error = self.gate.wait(endpoint)
            if error is None:
                return
            if seconds > self._longest_wait:
                raise error.after(seconds)
            # Not all at the same moment, and never before it.
            await self.pulse.sleep(seconds * self.pulse.chance.uniform(1.0, 1.1))

    async def _take_token(self) -> None:
        seconds = self._bucket.reserve()
        if seconds > 0:
            await self.pulse.sleep(seconds)
