"""A line of the sync log, and the words that several lines share."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Line(NamedTuple):
    """Level DEBUG, INFO, WARNING or ERROR; the message stands alone; details for those who look closer."""

    level: str
    message: str
    details: Mapping[str, Any]


def because(reason: str) -> str:
    return f": {reason}" if reason else ""


def every(seconds: int) -> str:
    """A time from one run to the next, in the largest unit that goes into it: 6 h, 90 min, 75 s."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds % unit == 0 and seconds:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
