"""Spans of time in words."""

from typing import Final

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span_in_words(seconds: float) -> str:
    """`2 h 13 min`, `6 h`, `45 s`: two units at most, the rest cut off."""
    left, words = max(0, int(seconds)), list[str]()
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {name}")
        if len(words) == 2 or (words and not count):
            break
    return " ".join(words) or "0 s"
