"""Which of the issues that wait a round asks for: as many as the budget covers. Pure.

A hundred issues come with one request. One that has many comments or worklogs costs more, for these lists are read at
their own addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from libs.events import Held
from services.ingestor.hints.budget import AT_ONCE as MOST_REQUESTS
from services.ingestor.hints.budget import Budget

AT_ONCE = 100
"""Issues of one round: Jira gives so many at once with all their fields."""

COME_ALONG = 20
"""Comments, and as many worklogs, that come with an issue; where more do, a round costs less than was thought."""

PATIENCE = timedelta(seconds=30)
"""For so long others may pass an issue that costs more than there is; then they wait with it."""


class Choice(NamedTuple):
    """What a round does."""

    issues: Sequence[str]
    """That it asks for."""
    needed: float
    """Requests that have to be left before there is something to ask for, where there are no such issues."""


def extra_requests(held: Held | None, page_size: int) -> int:
    """What the lists of an issue cost beside its own request, by what is stored of it."""
    lists = (held.comments, held.worklogs) if held is not None else ()
    return sum(ceil(len(children) / page_size) for children in lists if len(children) > COME_ALONG)


def choose(since: Mapping[str, datetime], extra: Mapping[str, int], budget: Budget, now: datetime) -> Choice:
    """The issues of the next round.

    Args:
        since: the issues, those that wait longest first, and since when they do.
        extra: as of `extra_requests`; issues without an entry cost nothing.
        budget: what is left now.
        now: UTC.
    """
    left = budget.requests - 1
    if left < 0:
        return Choice((), 1.0)
    issues: list[str] = []
    held_up: str | None = None
    for issue in since:
        cost = extra.get(issue, 0)
        if cost and (held_up is not None or min(cost + 1, MOST_REQUESTS) > left + 1):
            # Those that cost something go in their order, so that none is passed by cheaper ones for ever.
            held_up = held_up or issue
            if now - since[held_up] > PATIENCE and not issues:
                break
            continue
        issues.append(issue)
        left -= cost
        if len(issues) == AT_ONCE:
            break
    if held_up is None or issues:
        return Choice(issues, 0.0)
    return Choice((), min(extra[held_up] + 1, MOST_REQUESTS))
