"""Bodies: packed in every way, damaged, and far larger than they look."""

import contextlib
import gzip
import tracemalloc
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.http.body import BodyError, BodyTooLargeError, unpack

PACKERS = {
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
LIMIT = 100_000


@given(data=st.binary(max_size=2000), names=st.lists(st.sampled_from(sorted(PACKERS)), max_size=2))
def test_what_was_packed_comes_out(data: bytes, names: list[str]) -> None:
    packed = data
    for name in names:
        packed = PACKERS[name](packed)
    assert unpack(", ".join(names), packed, LIMIT) == data


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [LIMIT + 1, 50_000_000])
def test_a_bomb_is_not_unpacked(name: str, size: int) -> None:
    bomb = PACKERS[name](bytes(size))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError, match="more than 100000"):
            unpack(name, bomb, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", PACKERS)
def test_exactly_the_limit_is_fine(name: str) -> None:
    assert len(unpack(name, PACKERS[name](bytes(LIMIT)), LIMIT)) == LIMIT


def test_a_bomb_inside_a_bomb() -> None:
    with pytest.raises(BodyTooLargeError):
        unpack("gzip, gzip", gzip.compress(gzip.compress(bytes(50_000_000))), LIMIT)


def test_members_of_gzip_follow_one_another() -> None:
    assert unpack("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), LIMIT) == b"one two"


@pytest.mark.parametrize("name", ["gzip", "br"])
def test_a_cut_body_is_noticed(name: str) -> None:
    with pytest.raises(BodyError):
        unpack(name, PACKERS[name](b'{"issues":[' + b"1," * 999)[:-5], LIMIT)


@pytest.mark.parametrize("name", PACKERS)
@given(data=st.binary(min_size=1, max_size=60))
def test_damage_is_a_body_error(name: str, data: bytes) -> None:
    with contextlib.suppress(BodyError):
        assert len(unpack(name, data, LIMIT)) <= LIMIT


@pytest.mark.parametrize("packing", ["compress", "gzip, gzip, gzip", "deflate"])
def test_packings_not_asked_for(packing: str) -> None:
    with pytest.raises(BodyError):
        unpack(packing, zlib.compress(b"{}"), LIMIT)


def test_identity_is_no_packing() -> None:
    assert unpack("identity", b"{}", LIMIT) == b"{}"
    assert unpack("", b"{}", LIMIT) == b"{}"
