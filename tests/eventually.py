"""Waiting for what comes in its own time: look again and again until it is so, and say what was seen when it never is.

The deadline is generous, for a busy machine is no failure: a test that is well never gets near it.
"""

from __future__ import annotations

import asyncio
import inspect
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeVar, overload

T = TypeVar("T")

PATIENCE: Final = 180.0
"""Seconds: several tests start whole stacks at once, on two processors."""
SHORTEST: Final = 0.005
QUICK: Final = 0.1
LONGEST: Final = 0.5
SHARE: Final = 0.02
"""Seconds between two looks: they grow, so that what comes soon is seen soon, and what takes long costs little. After
the first moments they are a share of what has passed, for a look may be a question to a whole stack."""

Failures = tuple[type[Exception], ...]
Asked = Callable[..., object]


@overload
async def until(
    look: Callable[[], Awaitable[T]],
    good: Callable[[T], object] = bool,
    *,
    despite: Failures = (),
    hopeless: Callable[[], object] | None = None,
    seconds: float = PATIENCE,
) -> T: ...


@overload
async def until(
    look: Callable[[], T],
    good: Callable[[T], object] = bool,
    *,
    despite: Failures = (),
    hopeless: Callable[[], object] | None = None,
    seconds: float = PATIENCE,
) -> T: ...


async def until(
    look: Callable[[], Any],
    good: Callable[[Any], object] = bool,
    *,
    despite: Failures = (),
    hopeless: Callable[[], object] | None = None,
    seconds: float = PATIENCE,
) -> Any:
    """What `look` sees, as soon as it is good: `look` may be a coroutine function.

    While it raises one of `despite`, it is not. `hopeless` says why it can never be, once that is so.

    Raises:
        AssertionError: It was not so in time, or it is hopeless.
    """
    seen: object = "nothing"
    pauses = _pauses()
    try:
        async with asyncio.timeout(seconds) as deadline:
            while not deadline.expired():
                try:
                    found = look()
                    seen = found = await found if inspect.isawaitable(found) else found
                    if good(found):
                        return found
                except despite as error:
                    seen = error
                _give_up_if(hopeless, look, good)
                await asyncio.sleep(next(pauses))
    except TimeoutError:
        if not deadline.expired():
            raise
    raise AssertionError(_complaint(look, good, f"still not so after {seconds:g} s", seen))


def wait_until(
    look: Callable[[], T],
    good: Callable[[T], object] = bool,
    *,
    despite: Failures = (),
    hopeless: Callable[[], object] | None = None,
    seconds: float = PATIENCE,
) -> T:
    """The same for a test without an event loop: it blocks its thread."""
    pauses, deadline = _pauses(), time.monotonic() + seconds
    while True:
        seen: object
        try:
            seen = found = look()
            if good(found):
                return found
        except despite as error:
            seen = error
        _give_up_if(hopeless, look, good)
        if time.monotonic() >= deadline:
            raise AssertionError(_complaint(look, good, f"still not so after {seconds:g} s", seen))
        time.sleep(next(pauses))


def _pauses() -> Iterator[float]:
    pause, began = SHORTEST, time.monotonic()
    while True:
        yield pause
        pause = min(pause * 1.5, max(QUICK, min(LONGEST, (time.monotonic() - began) * SHARE)))


def _give_up_if(hopeless: Callable[[], object] | None, look: Asked, good: Asked) -> None:
    if hopeless is not None and (why := hopeless()):
        raise AssertionError(_complaint(look, good, "it can never be so", why))


def _complaint(look: Asked, good: Asked, what: str, seen: object) -> str:
    asked = [_source(each) for each in (look, good) if each is not bool]
    if asked[1:] == asked[:1]:  # two lambdas of one line
        asked.pop()
    shown = seen if isinstance(seen, str) else repr(seen)
    return f"{what}:\n{textwrap.indent(chr(10).join(asked), '    ')}\nseen last: {shown[-3000:]}"


def _source(function: Asked) -> str:
    """The lines of a function, which say what was waited for better than any name."""
    try:
        return textwrap.dedent(inspect.getsource(function)).rstrip()
    except (OSError, TypeError):
        return repr(function)
