"""Is a child that lives of any use? Decided from what a look at it said, without doing anything."""

from dataclasses import dataclass
from typing import Final

from libs.embedded.children.restarts import Restarts

FIRST_DELAY: Final = 5.0
"""Seconds between two starts of a useless child, at first."""


@dataclass(frozen=True)
class Decision:
    """What to say of the child, if anything, and whether to start it again."""

    text: str = ""
    restart: bool = False


class Usefulness:
    """Of one child.

    Args:
        patience: seconds for which it may be useless: it may recover by itself.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._restarts = Restarts(FIRST_DELAY)
        self._useless_since: float | None = None
        self._not_before = 0.0
        self._said = ""

    def judge(self, now: float, why: str | None, full: str | None, *, lost: bool = False) -> Decision:
        """After a look at a child that runs.

        Args:
            now: any monotonic seconds.
            why: it does not do its work; None when it does.
            full: why there is no room on the disk; None while there is. Without room a new start would mend nothing.
            lost: nothing but a new start mends it.
        """
        if why is None:
            text, self._said, self._useless_since = "works again" if self._said else "", "", None
            return Decision(text)
        if self._useless_since is None or full is not None:
            self._useless_since = now  # once there is room it may recover by itself
        if full is not None:
            return Decision(self._once(f"does not work: {why}; {full}; it is started again when there is room"))
        patience = 0.0 if lost else self._patience
        if now - self._useless_since < patience or now < self._not_before:
            return Decision()
        self._not_before, self._useless_since = now + self._restarts.next_delay(now), None
        return Decision(self._once(f"does not work: {why}; it is started again"), restart=True)

    def _once(self, text: str) -> str:
        new, self._said = text != self._said, text
        return text if new else ""
