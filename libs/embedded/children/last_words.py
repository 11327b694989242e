"""What a child said last: the reason of its end, as far as it told one."""

from typing import Final

NOTHING: Final = "it said nothing"
_REASONS: Final = ("panic: ", "fatal error: ")
"""How a program in Go begins to tell why it dies. A page of stack traces follows, whose last line says nothing."""


class LastWords:
    """Of one life of a child."""

    def __init__(self) -> None:
        self.text = NOTHING
        self.are_reason = False
        """They tell why it dies."""

    def hear(self, line: str) -> None:
        """Take a line of its output."""
        if not line.strip() or self.are_reason:
            return
        self.are_reason = line.startswith(_REASONS)
        self.text = line
