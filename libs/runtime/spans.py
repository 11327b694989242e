"""Spans of time as text."""

from typing import Final

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span_text(seconds: float) -> str:
    """`2 h 13 min`, `6 h`, `45 s`: two units at most, the rest cut off."""
    left, parts = max(0, int(seconds)), list[str]()
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
        if len(parts) == 2 or (parts and not count):
            break
    return " ".join(parts) or "0 s"
