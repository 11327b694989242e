"""Spans of time as text."""

from __future__ import annotations

import pytest

from libs.runtime import span_text

SPANS = {
    -5: "0 s",
    0: "0 s",
    59.9: "59 s",
    60: "1 min",
    90: "1 min 30 s",
    3_601: "1 h",
    7_980: "2 h 13 min",
    21_600: "6 h",
    86_400: "1 d",
    90_061: "1 d 1 h",
}


@pytest.mark.parametrize(("seconds", "text"), SPANS.items())
def test_span_text(seconds: float, text: str) -> None:
    assert span_text(seconds) == text
