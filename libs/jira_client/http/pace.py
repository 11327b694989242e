"""The pace of requests to one site: a token bucket, a gate that is closed until a time, and a number of slots.

Clock, sleep and random come in as arguments, so that every rule can be tested without waiting.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from libs.jira_client.failures.errors import JiraError
from libs.jira_client.http.retry_after import LONGEST

PROBE_SECONDS: Final = 60.0
"""For how long a probe may go without an answer before another one is sent."""


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


class Closing(NamedTuple):
    """That no request goes out: where, for how long, and why."""

    endpoint: str | None
    """None: the whole site."""
    seconds: float
    """Until a request may go out; 0: the next one is the probe."""
    error: JiraError
    """The failure that closed the gate."""


class _Entry(NamedTuple):
    until: float
    error: JiraError
    probed: bool
    """Jira asked for longer: when the time has come, one request asks again, and its answer decides."""
    probing: bool = False


class Gate:
    """Closed until a time, for the whole site or one endpoint, and it remembers which failure closed it.

    Never for longer than `LONGEST`: who asks for more is asked again by one request, the probe. The others wait for
    its answer, or for a minute when none comes.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._entries: dict[str | None, _Entry] = {}

    def close(self, endpoint: str | None, seconds: float, error: JiraError) -> None:
        """Nothing passes for `seconds` (None: at no endpoint). A closing already longer stays."""
        entry = _Entry(self._monotonic() + min(seconds, LONGEST), error, seconds >= LONGEST)
        known = self._entries.get(endpoint)
        if known is None or known.probing or entry.until > known.until:
            self._entries[endpoint] = entry

    def wait(self, endpoint: str) -> tuple[float, JiraError | None]:
        """Seconds until a request to `endpoint` may go out, and the failure to blame; (0, None) when it may."""
        now = self._monotonic()
        self._entries = {key: entry for key, entry in self._entries.items() if entry.until > now or entry.probed}
        entries = [entry for _, entry in self._of(endpoint) if entry.until > now]
        last = max(entries, key=lambda entry: entry.until, default=None)
        return (last.until - now, last.error) if last else (0.0, None)

    def admit(self, endpoint: str) -> bool:
        """Whether a request to `endpoint` goes out now. After a closing that was too long it is the probe."""
        if self.wait(endpoint)[1] is not None:
            return False
        until = self._monotonic() + PROBE_SECONDS
        for key, entry in self._of(endpoint):
            self._entries[key] = entry._replace(until=until, probing=True)
        return True

    def answered(self, endpoint: str) -> None:
        """A request to `endpoint` was answered and not refused by a limit: what was probed is open."""
        for key, entry in self._of(endpoint):
            if entry.probing:
                del self._entries[key]

    def open(self, endpoint: str | None) -> bool:
        """Open by hand what is closed there (None: for the whole site). False: nothing was.

        Who sleeps until the gate opens by itself sleeps on; that is not long, and everybody else passes.
        """
        closed = any(closing.endpoint == endpoint for closing in self.closings())
        self._entries.pop(endpoint, None)
        return closed

    def _of(self, endpoint: str) -> list[tuple[str | None, _Entry]]:
        return [(key, self._entries[key]) for key in (None, endpoint) if key in self._entries]

    def closed(self) -> dict[str | None, float]:
        """Seconds until it opens again, by endpoint (None: the whole site), of all that are closed; for any thread."""
        return {closing.endpoint: closing.seconds for closing in self.closings() if closing.seconds > 0}

    def closings(self) -> list[Closing]:
        """All that is closed, and what waits for its probe; for any thread."""
        now = self._monotonic()
        return [
            Closing(key, max(0.0, entry.until - now), entry.error)
            for key, entry in self._entries.copy().items()
            if entry.until > now or entry.probed
        ]


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

    def closings(self) -> list[Closing]:
        """What is closed now, for how long and why; for any thread."""
        return self.gate.closings()

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
                if self.gate.admit(endpoint):
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
