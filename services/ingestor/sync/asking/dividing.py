"""Issues by their ids, in as large parts as Jira can answer.

A part that does not come is halved, down to one issue. So a page too large for a gateway or too slow for Jira is read
in smaller ones, and an issue that Jira cannot show costs itself alone. The first part that comes shows which size
works; the rest of the page is asked for in that size.

Where part after part fails, Jira as a whole may be sick. Then another issue is asked for, as a proof that it is not;
without one the page ends: as a failure, or, where some issues have come, with a rest that is left for later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import structlog
from msgspec import Raw

from libs.jira_client import (
    BulkIssues,
    IssueProblem,
    JiraError,
    NetworkGlitch,
    PageSize,
    Scope,
    UpstreamError,
    seconds_left,
)
from services.ingestor.sync.step import ONE_SICK, REFUSED

IN_A_ROW = 7
"""Failures without a success between them, after which Jira may be sick: from 100 issues they lead down to two."""

KEPT_FREE = 60.0
"""Seconds of the step's time that are left for what else the page needs: long lists of comments, the database."""

PAUSES = 2
"""Failures at once after which less is asked for no sooner than the same would be: the trouble may pass."""

log = structlog.get_logger()

Fetch = Callable[[Sequence[str]], Awaitable[BulkIssues]]
Pause = Callable[[int], Awaitable[None]]
Proof = Callable[[], Awaitable[bool]]
"""Whether Jira shows any other issue."""


class Divided(NamedTuple):
    """What came of a page of ids."""

    issues: Sequence[Raw] = ()
    problems: Sequence[IssueProblem] = ()
    sick: Mapping[str, JiraError] = MappingProxyType({})
    """Issues that Jira does not show even alone, while it shows others."""
    doubtful: Mapping[str, JiraError] = MappingProxyType({})
    """Issues that were asked for alone at the end: they or Jira may be sick."""
    left: tuple[str, ...] = ()
    """Issues that are still to be asked for."""
    failure: JiraError | None = None
    """Why nothing came at all."""


async def read_divided(ids: Sequence[str], size: PageSize, fetch: Fetch, pause: Pause, proof: Proof) -> Divided:
    """The issues, each in `issues`, `problems`, `sick`, `doubtful` or `left`.

    Args:
        ids: what to read; at least one.
        size: how much the site bears; it learns.
        fetch: asks for some of the ids.
        pause: waits as before a further try of a request; given its number.
        proof: asked where Jira may be sick as a whole.

    Raises:
        JiraError: nothing has come, and less would not help: a refused token, a limit, a closed site.
    """
    return await _Division(ids, size, fetch, pause, proof).read()


def may_be_one_issues(error: JiraError) -> bool:
    """Whether fewer issues, or others, may come where these did not."""
    if isinstance(error, REFUSED) and error.scope is Scope.SITE:
        return False
    return isinstance(error, (*ONE_SICK, NetworkGlitch))


class _Division:
    def __init__(self, ids: Sequence[str], size: PageSize, fetch: Fetch, pause: Pause, proof: Proof) -> None:
        self._size, self._fetch, self._pause, self._proof = size, fetch, pause, proof
        self._parts = deque([tuple(ids)])
        self._largest = 0
        """Issues of the largest part that came."""
        self._requests = 0
        """That were answered."""
        self._first: JiraError | None = None
        self._last: JiraError | None = None
        self._in_a_row = 0
        """Failures since the last success."""
        self._doubtful: dict[str, JiraError] = {}
        """Issues that failed alone since the last success: they or Jira may be sick."""
        self._refused: list[tuple[str, ...]] = []
        """Parts of several issues that did not come."""
        self._issues: list[Raw] = []
        self._problems: list[IssueProblem] = []
        self._sick: dict[str, JiraError] = {}

    async def read(self) -> Divided:
        through = await self._read_parts()
        self._learn()
        if self._first and not self._settled:
            # Another part of the page would be the same again.
            why = self._last if seconds_left() <= 0 else self._first
            return Divided(doubtful=self._doubtful, left=self._left(), failure=why)
        if through:
            self._cleared()
        return Divided(self._issues, self._problems, self._sick, self._doubtful, self._left())

    @property
    def _settled(self) -> bool:
        """Whether anything is known of any issue."""
        return bool(self._requests or self._sick)

    def _left(self) -> tuple[str, ...]:
        return tuple(issue for part in self._parts for issue in part)

    async def _read_parts(self) -> bool:
        """Whether all parts have been asked for."""
        while self._parts:
            part = self._next()
            try:
                bulk = await self._fetch(part)
            except JiraError as error:
                if not may_be_one_issues(error):
                    if not self._requests:
                        raise
                    # The next call of the page meets it again, and waits or fails as it demands.
                    self._parts.appendleft(part)
                    return False
                if not await self._goes_on_after(error, part):
                    return False
            else:
                self._came(part, bulk)
                if self._parts and seconds_left() < KEPT_FREE:
                    return False
        return True

    def _next(self) -> tuple[str, ...]:
        """The next part, no larger than what may work."""
        part, limit = self._parts.popleft(), self._limit()
        if len(part) <= limit:
            return part
        pieces = -(-len(part) // limit)
        each = -(-len(part) // pieces)
        self._parts.extendleft(reversed([part[start : start + each] for start in range(each, len(part), each)]))
        return part[:each]

    def _limit(self) -> int:
        """Issues that may come at once. Where it was one issue that spoilt larger parts, they do not count."""
        smallest = min(map(len, self._too_large()), default=2 * self._size.size)
        return max(self._largest, (smallest + 1) // 2)

    def _too_large(self) -> list[tuple[str, ...]]:
        """The parts that did not come and hold no sick issue."""
        sick = self._sick.keys() | self._doubtful.keys()
        return [part for part in self._refused if not sick.intersection(part)]

    def _came(self, part: tuple[str, ...], bulk: BulkIssues) -> None:
        self._issues += bulk.issues
        self._problems += bulk.errors
        self._largest = max(self._largest, len(part))
        self._requests += 1
        self._cleared()

    def _cleared(self) -> None:
        """Jira is well: what failed alone is sick itself."""
        self._sick |= self._doubtful
        self._doubtful, self._in_a_row = {}, 0

    async def _goes_on_after(self, error: JiraError, part: tuple[str, ...]) -> bool:
        self._first, self._last = self._first or error, error
        self._in_a_row += 1
        if len(part) > 1:
            half = (len(part) + 1) // 2
            self._parts.extendleft((part[half:], part[:half]))
            self._refused.append(part)
        else:
            self._doubtful[part[0]] = error
        if seconds_left() <= 0:
            return False
        nothing_came = not self._parts and not self._requests
        if self._in_a_row == IN_A_ROW or nothing_came:
            if not await self._proof():
                return False
            self._cleared()
        elif not self._requests and self._in_a_row <= PAUSES and isinstance(error, UpstreamError | NetworkGlitch):
            await self._pause(self._in_a_row)
        return True

    def _learn(self) -> None:
        if seconds_left() <= 0 and not self._settled:
            # What is smaller has not had its chance: the next try begins with it.
            self._size.failed(min(map(len, self._refused), default=self._size.size) // 2)
        elif not self._too_large():
            self._size.worked(self._requests)
        elif self._largest:
            self._size.failed(self._largest)
            log.info("fewer issues are asked for at once", size=self._size.size)
