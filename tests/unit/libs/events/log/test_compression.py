"""What is stored comes back as it was, whichever version stored it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.log.compression import Zstandard, is_compressed

LONG = b'{"summary":"' + b"The same words again. " * 50 + b'"}'


@given(st.binary(max_size=4000).map(lambda middle: b"{" + middle + b"}"))
def test_every_event_comes_back(state: bytes) -> None:
    stored = Zstandard().compress(state)
    assert Zstandard().decompress(stored) == state


def test_what_is_long_gets_shorter() -> None:
    stored = Zstandard().compress(LONG)
    assert is_compressed(stored)
    assert len(stored) < len(LONG) / 4


@pytest.mark.parametrize("state", [b"{}", b"", LONG])
def test_what_an_older_version_stored_is_read_as_it_is(state: bytes) -> None:
    assert Zstandard().decompress(state) == state


@pytest.mark.parametrize("damage", [lambda stored: stored[:-9], lambda stored: stored[:40] + b"\0" * 9 + stored[49:]])
def test_damage_is_told(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(ValueError, match="the compressed event is damaged"):
        Zstandard().decompress(damage(Zstandard().compress(LONG)))
