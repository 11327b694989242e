"""Reading an answer's body without trusting its size, packed or unpacked.

httpx unpacks each piece of the network whole, and 64 kB can hold a gigabyte of zeros. So the packed bytes are read up
to a cap, and unpacked here into a buffer that cannot grow past the same cap.
"""

import io
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import brotli  # type: ignore[import-untyped]
import httpx
import zstandard

ACCEPT_ENCODING: Final = "gzip, br, zstd"
ERROR_BODY: Final = 1024 * 1024
"""Bytes read of an answer that is no success: enough to say why."""

_ZSTD_WINDOW: Final = 8 * 1024 * 1024  # RFC 9659: what an HTTP client must support, and may limit itself to


class BodyError(Exception):
    """The body cannot be unpacked."""


class BodyTooLargeError(BodyError):
    """The body is larger than the cap."""


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The unpacked body.

    Raises BodyError for a success only: of another answer the status is the message, the body mere evidence.
    """
    packing = response.headers.get("content-encoding", "")
    if response.is_success:
        return unpack(packing, await _read(response, limit), limit)
    try:
        return unpack(packing, await _read(response, min(limit, ERROR_BODY)), limit)
    except BodyError:
        return b""


async def _read(response: httpx.Response, limit: int) -> bytes:
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise BodyTooLargeError(f"The body has {declared} bytes; at most {limit} are read.")
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > limit:
            raise BodyTooLargeError(f"The body has more than {limit} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


def unpack(packing: str, data: bytes, limit: int) -> bytes:
    """`data` without its content encodings, at most `limit` bytes. Raises BodyError."""
    names = [name for part in packing.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if len(names) > 2:
        raise BodyError("The body is packed more than twice.")
    for name in reversed(names):
        unpacker = _UNPACKERS.get(name)
        if unpacker is None:
            raise BodyError(f"The body is packed as {name!r}, which was not asked for.")
        try:
            data = unpacker(data, limit)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise BodyError(f"The {name} body is damaged: {error}") from error
        if len(data) > limit:
            raise BodyTooLargeError(f"The body unpacks to more than {limit} bytes.")
    return data


def _gzip(data: bytes, limit: int) -> bytes:
    unpacked = io.BytesIO()
    while data and unpacked.tell() <= limit:
        stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        unpacked.write(stream.decompress(data, limit + 1 - unpacked.tell()))
        if not stream.eof and unpacked.tell() <= limit:
            raise BodyError("The gzip body ends too early.")
        data = stream.unused_data
    return unpacked.getvalue()


def _brotli(data: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    unpacked = io.BytesIO()
    while not stream.is_finished() and unpacked.tell() <= limit:
        piece = stream.process(data, output_buffer_limit=limit + 1 - unpacked.tell())
        data = b""
        if not piece and not stream.is_finished():
            raise BodyError("The brotli body ends too early.")
        unpacked.write(piece)
    return unpacked.getvalue()


def _zstd(data: bytes, limit: int) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    with stream.stream_reader(data, read_across_frames=True) as reader:
        return reader.read(limit + 1)


_UNPACKERS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "br": _brotli,
    "zstd": _zstd,
}
