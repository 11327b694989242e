"""One line of a benchmark's report."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.pace import allowance


class Row(NamedTuple):
    """A figure, and what it should be."""

    what: str
    value: float
    unit: str
    """`ratio` where the figure is set against a reference that ran beside it; others differ between machines."""
    target: float | None = None
    """In the same unit; None when there is none."""
    ok: bool = True
    """Whether the target is met."""


def at_most(what: str, value: float, unit: str, bound: float) -> Row:
    """A count, a size or a ratio: the same on every machine."""
    return Row(what, value, unit, bound, ok=value <= bound)


def within(what: str, seconds: float, bound: float, *, waiting: float = 0.0) -> Row:
    """Seconds, against a target of the machine on which targets are set; a slower one is allowed as many times more.

    Args:
        what: was done.
        seconds: it took.
        bound: on that machine.
        waiting: for others, as a part of the bound, which is the same on every machine.
    """
    return at_most(what, seconds, "s", waiting + (bound - waiting) * allowance())
