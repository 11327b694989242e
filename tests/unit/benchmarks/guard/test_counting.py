"""The same work makes the same count, whoever does it, and more work a greater one."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from benchmarks.guard.counting import counting


def work(times: int) -> None:
    for number in range(times):
        len(str(number))


async def waited(times: int) -> None:
    """Suspends as often as that; none of it is work."""
    for _ in range(times):
        await asyncio.sleep(0)


def made_by(act: Callable[[], object]) -> int:
    with counting() as calls:
        before = calls.made
        act()
        return calls.made - before


def in_a_thread() -> None:
    thread = threading.Thread(target=work, args=(1000,))
    thread.start()
    thread.join()


def test_the_same_work_is_the_same_count() -> None:
    assert made_by(lambda: work(1000)) == made_by(lambda: work(1000))


def test_more_work_is_a_greater_count_by_as_much() -> None:
    assert made_by(lambda: work(1000)) - made_by(lambda: work(900)) == 100


def test_what_threads_do_is_counted() -> None:
    assert made_by(in_a_thread) == pytest.approx(made_by(lambda: work(1000)), abs=10)


def test_how_often_something_is_waited_for_is_not() -> None:
    assert made_by(lambda: asyncio.run(waited(1000))) == made_by(lambda: asyncio.run(waited(1)))


def test_statements_are_counted() -> None:
    with closing(sqlite3.connect(":memory:")) as connection, counting() as calls:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
        connection.cursor().executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(100)])
        assert calls.statements == 2
