"""By when a piece of work must be through, however many requests it makes."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class _Deadline(NamedTuple):
    at: float
    """Of the monotonic clock."""
    seconds: float
    """How long the work may take as a whole."""


_deadline: ContextVar[_Deadline | None] = ContextVar("jira_deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """What this task and those it starts ask of Jira must be answered in so many seconds; see `Transport.fetch`."""
    before = _deadline.set(_Deadline(time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _deadline.reset(before)


def seconds_left() -> float:
    """Until the work must be through, below 0 when that time is over; infinite where there is no deadline."""
    limit = _deadline.get()
    return math.inf if limit is None else limit.at - time.monotonic()


def seconds_given() -> float:
    """How long the work may take as a whole; infinite where there is no deadline."""
    limit = _deadline.get()
    return math.inf if limit is None else limit.seconds
