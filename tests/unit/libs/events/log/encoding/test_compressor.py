"""What is stored comes back as it was, whichever version stored it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from libs.events.log.encoding import compressor
from libs.events.log.encoding.compressor import DICTIONARIES, Zstandard, is_compressed

RELEASED = {1: "e6200f6594cbf67a3cadce0786ff25c4b23ab074d1fc68a0fd3721b33783a05c"}
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


def test_what_was_compressed_without_a_dictionary_is_read() -> None:
    assert Zstandard().decompress(zstandard.compress(LONG)) == LONG


def test_what_a_newer_version_compressed_says_so() -> None:
    newer = zstandard.ZstdCompressionDict(zstandard.train_dictionary(1024, [LONG * 3] * 40, dict_id=77).as_bytes())
    stored = zstandard.ZstdCompressor(dict_data=newer).compress(LONG)
    with pytest.raises(ValueError, match="compressed by a newer version, with dictionary 77"):
        Zstandard().decompress(stored)


@pytest.mark.parametrize(("number", "name"), DICTIONARIES.items())
def test_a_released_dictionary_never_changes(number: int, name: str) -> None:
    """What was compressed with it could not be read any more."""
    content = (Path(compressor.__file__).parent / name).read_bytes()
    assert zstandard.ZstdCompressionDict(content).dict_id() == number
    assert hashlib.sha256(content).hexdigest() == RELEASED[number]
