"""JSON with halves of characters in it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.jira_client.http.json_text import decode, is_json

PIECES = st.lists(
    st.sampled_from(["\\ud83d", "\\uDE00", "\\uD83D\\uDE00", "\\\\", "\\\\ud83d", "\\n", "\\u0041", "d83d", "x", "é"]),
    max_size=12,
)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (rb"\ud83d", "\ufffd"),
        (rb"cut \uD83D", "cut \ufffd"),
        (rb"\ude00 alone", "\ufffd alone"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"\ud83d\u0041", "\ufffdA"),
        (rb"\ud83d\n", "\ufffd\n"),
        (rb"\\ud83d", "\\ud83d"),
        (rb"\\\ud83d", "\\\ufffd"),
        (b"\xff", "\ufffd"),
        (b"\xc3", "\ufffd"),
        ("é".encode(), "é"),
    ],
)
def test_half_a_character_becomes_the_sign_for_one(text: bytes, read: str) -> None:
    assert decode(b'"' + text + b'"', str) == read
    assert decode(b'{"' + text + b'":1}', dict[str, int]) == {read: 1}


@given(PIECES)
def test_what_is_kept_raw_can_be_decoded_again(pieces: list[str]) -> None:
    text = '{"issues":["' + "".join(pieces) + '"]}'
    (kept,) = decode(text.encode(), dict[str, list[Raw]])["issues"]
    lenient = json.loads(text)["issues"][0]
    assert msgspec.json.decode(kept) == "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in lenient)


@pytest.mark.parametrize(
    "text", [b"", b"{", b'{"a":', rb'{"a":"\q"}', rb'{"a":"\ud8"}', b"<html>", rb'["\ud83d"', b"[" * 99_999]
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(text, Raw)
    assert not is_json(text)


@pytest.mark.parametrize("text", [b"{}", b" \r\n[1]", b"\xef\xbb\xbf{}", rb'["\ud83d"]', b'{"a":"\xff"}'])
def test_what_is_json_by_its_content(text: bytes) -> None:
    assert is_json(text)


@pytest.mark.parametrize("text", [b"1", b'"text"', b"null", b"Service Unavailable"])
def test_a_bare_value_is_taken_for_plain_text(text: bytes) -> None:
    assert not is_json(text)


@pytest.mark.parametrize("beside", ['"whole"', '"half \\ud83d"'])
def test_what_is_nested_too_deeply_cannot_be_read_whatever_stands_beside_it(beside: str) -> None:
    deep = f'{{"text":{beside},"deep":{"[" * 100_000}{"]" * 100_000}}}'.encode()
    with pytest.raises(msgspec.DecodeError):
        decode(deep, dict[str, Raw])
