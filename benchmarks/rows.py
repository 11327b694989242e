"""One line of a benchmark's report."""

from __future__ import annotations

from typing import NamedTuple


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
