"""How many requests hints may cost: a few at once, then so many a minute, and more where they bring much. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

AT_ONCE = 20.0
"""Requests that may follow one another without a pause."""

PER_SECOND = 20.0 / 60.0
"""That come free again, up to `AT_ONCE`."""

ISSUES_EACH = 20.0
"""Changed issues that pay for a request, so that hints of many issues cost few requests and are never held up."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of it at a moment."""

    requests: float = AT_ONCE
    """That may be sent; below nothing after a round that cost more than there was."""
    at: datetime
    """UTC."""


def now_left(budget: Budget | None, now: datetime) -> Budget:
    """What is left now: all of it, where nobody has spent any; a clock that went back gives nothing."""
    if budget is None:
        return Budget(at=now)
    seconds = max((now - budget.at).total_seconds(), 0.0)
    return Budget(requests=min(budget.requests + seconds * PER_SECOND, AT_ONCE), at=now)


def after(budget: Budget, *, requests: int, changed: int) -> Budget:
    """What is left when a round has cost so many requests and found so many issues changed."""
    left = budget.requests - requests + changed / ISSUES_EACH
    return msgspec.structs.replace(budget, requests=min(left, AT_ONCE))


def seconds_until(budget: Budget, requests: float = 1.0) -> float:
    """How long until so many requests may be sent, as many as a round needs that may begin; 0 when they may now."""
    return max(0.0, (requests - budget.requests) / PER_SECOND)
