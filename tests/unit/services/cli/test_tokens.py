"""How long a token is to last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.access import BadTokenError
from services.cli.tokens import span


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        (" 90d ", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("9999w", timedelta(weeks=9999)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, meant: timedelta) -> None:
    assert span(text) == meant


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5h", "90 days", "1y", "10000d", "\u0661d"])
def test_other_texts_say_what_would_do(text: str) -> None:
    with pytest.raises(BadTokenError, match="90d"):
        span(text)
