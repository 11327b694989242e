"""Which series an expression of Prometheus asks for. Syntax is promtool's business; this only has to find names."""

from __future__ import annotations

import re

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_COMMENT = re.compile(r"#.*")
_SELECTOR = re.compile(r"\{[^{}]*\}")
_RANGE = re.compile(r"\[[^\[\]]*\]")
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE)
_OFFSET = re.compile(r"\boffset\s+[-$]?\w+", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w:.])([A-Za-z_:][\w:]*)\b(?!\s*\()")
_WORDS = frozenset({"and", "or", "unless", "bool", "inf", "nan"})
_AGGREGATIONS = frozenset({"sum", "min", "max", "avg", "count", "topk", "bottomk", "quantile", "group"})
"""Between their names and the bracket labels may have stood."""
_VARIABLE = re.compile(r"\$\{?\w+(?::\w+)?\}?")


def series(expression: str) -> set[str]:
    """The names of the series in an expression; variables of Grafana are none."""
    left = _COMMENT.sub("", _STRING.sub('""', expression))
    for pattern in (_SELECTOR, _RANGE, _LABELS, _OFFSET, _VARIABLE):
        left = pattern.sub(" ", left)
    return {name for name in _NAME.findall(left) if name.lower() not in _WORDS | _AGGREGATIONS}
