"""The waiting of all other tests: what comes is given, and what never comes is said."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.eventually import until, wait_until


async def test_it_gives_what_was_looked_for() -> None:
    numbers, others = itertools.count(), itertools.count()

    async def look() -> int:
        return next(numbers)

    assert await until(look, lambda found: found > 3) == 4
    assert await until(lambda: next(others)) == 1
    assert wait_until(lambda: next(numbers), lambda found: found > 7) == 8


async def test_what_never_comes_is_said_with_what_was_seen() -> None:
    with pytest.raises(AssertionError, match=r"after 0.05 s(.|\n)*found > 3(.|\n)*seen last: 2"):
        await until(lambda: 2, lambda found: found > 3, seconds=0.05)
    with pytest.raises(AssertionError, match=r"after 0.05 s(.|\n)*found > 3(.|\n)*seen last: 2"):
        wait_until(lambda: 2, lambda found: found > 3, seconds=0.05)


async def test_a_look_that_hangs_is_ended() -> None:
    with pytest.raises(AssertionError, match="seen last: nothing"):
        await until(asyncio.Event().wait, seconds=0.05)


async def test_errors_are_borne_only_where_they_are_foreseen() -> None:
    answers = iter([OSError("not yet"), TimeoutError("not yet"), None])

    def look() -> bool:
        if error := next(answers):
            raise error
        return True

    assert await until(look, despite=(OSError, TimeoutError))
    with pytest.raises(ZeroDivisionError):
        await until(lambda: 1 / 0, despite=(OSError,))
    with pytest.raises(AssertionError, match="seen last: OSError"):
        await until(_refuse, despite=(OSError,), seconds=0.05)
    with pytest.raises(TimeoutError, match="of the look itself"):
        await until(_time_out)


async def test_it_gives_up_at_once_where_there_is_no_hope() -> None:
    with pytest.raises(AssertionError, match="the process has ended"):
        await until(lambda: False, hopeless=lambda: "the process has ended")
    with pytest.raises(AssertionError, match="the process has ended"):
        wait_until(lambda: False, hopeless=lambda: "the process has ended")


def _refuse() -> bool:
    raise OSError("refused")


def _time_out() -> bool:
    raise TimeoutError("of the look itself")
