"""Headers that anybody may have put on a message of a stream."""

from __future__ import annotations

import pytest

from libs.events.nats.connection import readable_headers
from libs.events.nats.stored import headers_in


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"NATS/1.0\r\nce-id: 7\r\nce-type: A.v1\r\n\r\n", b"NATS/1.0\r\nce-id: 7\r\nce-type: A.v1\r\n\r\n"),
        (b"NATS/1.0\r\nStatus: 503\r\nce-id: 7\r\n\r\n", b"NATS/1.0\r\nce-id: 7\r\n\r\n"),
        (b"NATS/1.0\r\nstatus : 404\r\nDescription: x\r\n\r\n", b""),
        (b"NATS/1.0 503\r\n\r\n", b""),
        (b"NATS/1.0", b""),
        (b"NATS/1.0 \xff\xff\r\n\r\n", b""),
        (b"\x00\x01", b""),
        (b"NATS/1.0\r\n\xff: \xfe\r\nno colon\r\n: nameless\r\n\r\n", b""),
    ],
)
def test_only_headers_as_clients_write_them_reach_the_library(raw: bytes, kept: bytes) -> None:
    assert readable_headers(raw) == kept


@pytest.mark.parametrize("raw", [b"", b"x", b"NATS/1.0", b"\xff\xfe\r\n\xff:\xff\r\n", b"NATS/1.0\r\n\r\n"])
def test_any_bytes_are_read(raw: bytes) -> None:
    assert "ce-id" not in headers_in(raw)


def test_of_a_name_that_comes_twice_the_first_counts() -> None:
    assert headers_in(b"NATS/1.0\r\nce-id: 7\r\nce-id: 8\r\n\r\n") == {"ce-id": "7"}
