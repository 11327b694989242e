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
