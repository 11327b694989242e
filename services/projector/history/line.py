"""A line of the sync log, and what several lines share."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from libs.events import Event


class Line(NamedTuple):
    """Level DEBUG, INFO, WARNING or ERROR; the message stands alone; details for those who look closer."""

    level: str
    message: str
    details: Mapping[str, Any]


def because(reason: str) -> str:
    return f": {reason}" if reason else ""


def picked(event: Event, *names: str) -> Mapping[str, Any]:
    """These fields of the event, as details."""
    return {name: getattr(event, name) for name in names}


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
