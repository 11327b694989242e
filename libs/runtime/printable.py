"""Text of strangers made safe for a terminal and a log: what moves the cursor, hides or turns text is escaped.

Names in Jira may hold anything: escape sequences that rewrite the screen, line ends that forge a line of our own,
marks that turn the reading direction (CVE-2021-42574, "Trojan Source").
"""

import json
import unicodedata
from typing import Final

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, format characters, halves of characters, and line ends of its own."""
_JOINERS: Final = "\u200c\u200d"
"""Format characters that only join letters and emoji, as Persian and families need it."""


def printable(text: str) -> str:
    """`text` on one line; what is escaped is escaped as JSON does it, so a line of JSON stays the JSON it was."""
    if text.isprintable():
        return text
    return "".join(json.dumps(one)[1:-1] if _is_escaped(one) else one for one in text)


def _is_escaped(character: str) -> bool:
    return unicodedata.category(character) in _ESCAPED and character not in _JOINERS
