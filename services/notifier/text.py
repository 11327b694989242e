"""Texts that come from outside, made safe to send: Jira's texts hold whatever its users typed. Pure."""

import re
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BREAKS: Final = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def clean(text: str, limit: int) -> str:
    """`text` without control characters and lone surrogates, cut to `limit` characters with a note at its end."""
    kept = _CONTROL.sub(" ", text[:limit].replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) <= limit:
        return kept
    note = f"… [cut: {len(text):,} characters in all]"
    return kept[: max(0, limit - len(note))] + note[:limit]


def one_line(text: str, limit: int) -> str:
    """`text` as one line of at most `limit` characters: fit for a header, whatever it held."""
    line = _BREAKS.sub(" ", text[: 4 * limit]).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
