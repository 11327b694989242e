"""Tables of Markdown, for the pages that are written from the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A whole table; a bar in a cell stays a bar."""
    return _line(head) + "|---" * len(head) + "|\n" + "".join(map(_line, rows))


def code(text: str) -> str:
    """As code; nothing stays nothing."""
    return f"`{text}`" if text else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
