"""What loops need to know of their end: as much of `libs.runtime.Stop` as each of them asks for."""

from collections.abc import Coroutine
from typing import Any, Protocol


class Stopping(Protocol):
    """Something that says when to end."""

    def is_set(self) -> bool: ...


class Awaited(Stopping, Protocol):
    """For coroutines, which wait for it."""

    def wait(self) -> Coroutine[Any, Any, object]: ...

    async def sleep(self, seconds: float) -> bool:
        """Wait for the end, at most so many seconds; True when it has come."""


class Blocking(Stopping, Protocol):
    """For threads."""

    def wait_blocking(self, timeout: float) -> bool: ...
