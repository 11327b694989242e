"""What a look finds, and how it is taken: whatever goes wrong is the finding."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"

SECONDS: Final = 10.0
"""What takes longer does not answer."""


class Finding(NamedTuple):
    """What one look found. `advice` is empty when all is well."""

    name: str
    state: str
    text: str
    advice: str = ""

    @property
    def failed(self) -> bool:
        return self.state == FAIL

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "ok": not self.failed}


class Trouble(Exception):  # noqa: N818 - what was found, not an error of the doctor's
    """Something is wrong.

    Attributes:
        advice: what to do; None: what the look as a whole advises.
    """

    state = FAIL

    def __init__(self, text: str, advice: str | None = None) -> None:
        super().__init__(text)
        self.advice = advice


class Doubt(Trouble):
    """Nothing fails now, but somebody should know."""

    state = WARN


async def look(name: str, check: Callable[[], Awaitable[str]], advice: str, seconds: float = SECONDS) -> Finding:
    """Take one look.

    Args:
        name: of what is looked at.
        check: says what it found when all is well; raises otherwise.
        advice: what to do when it fails in a way that has no advice of its own.
        seconds: that it may take.
    """
    try:
        async with asyncio.timeout(seconds):
            return Finding(name, OK, await check())
    except Trouble as found:
        return Finding(name, found.state, str(found), advice if found.advice is None else found.advice)
    except TimeoutError:
        return Finding(name, FAIL, f"no answer within {seconds:g} s", advice)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding
        return Finding(name, FAIL, (str(error) or type(error).__name__).splitlines()[0], advice)
