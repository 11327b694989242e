"""Spans of time in words."""

from __future__ import annotations

import pytest

from libs.runtime import span_in_words

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


@pytest.mark.parametrize(("seconds", "words"), SPANS.items())
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span_in_words(seconds) == words
