"""How many requests a piece of work has cost, also when others ask at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class RequestCount:
    """HTTP requests sent, repeated tries included."""

    sent: int = 0


_counting: ContextVar[RequestCount | None] = ContextVar("jira_requests", default=None)


@contextmanager
def counting() -> Iterator[RequestCount]:
    """Count the requests sent by this task and those it starts, until the block ends."""
    count = RequestCount()
    before = _counting.set(count)
    try:
        yield count
    finally:
        _counting.reset(before)


def count_request() -> None:
    """Note that a request goes out."""
    if (count := _counting.get()) is not None:
        count.sent += 1
