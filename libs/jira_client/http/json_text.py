r"""JSON as it comes over the wire, read with more patience than the decoder has. Pure.

RFC 8259 lets a text hold half of a surrogate pair (`"\ud83d"`: an emoji cut in two by a limit of length), and a proxy
may break UTF-8. No decoder of ours takes either, now or when what is kept raw is read again. Both become U+FFFD, the
sign for a character that could not be read.
"""

import codecs
import re
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

T = TypeVar("T")

PIECE: Final = 64 * 1024
"""Bytes that are looked at at once: a text of megabytes would not fit into the processor's cache."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|.)",
    re.DOTALL,
)
"""Any escape, an escaped backslash too, so that what follows one is not taken for an escape of its own."""


def decode(content: bytes, kind: type[T]) -> T:
    """The value of a JSON text; what is kept raw of it can be decoded again. Raises msgspec.DecodeError."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if not content.isascii():
        content = _as_utf8(content)
    try:
        return _decoded(content, kind)
    except RecursionError as error:
        raise msgspec.DecodeError("The JSON is nested too deeply to be read") from error


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = without_halves(content)
        if whole == content:
            raise
        return msgspec.json.decode(whole, type=kind)


def without_halves(content: bytes) -> bytes:
    """The JSON text with U+FFFD for each escape of a surrogate that has no partner."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], content)


def is_json(content: bytes) -> bool:
    """Whether it is a JSON object or list, whatever its type is called."""
    if content.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)[:1] not in (b"{", b"["):
        return False
    try:
        decode(content, Raw)
    except msgspec.DecodeError:
        return False
    return True


def _as_utf8(content: bytes) -> bytes:
    """The decoder does not look into what is kept raw, so the encoding is checked here."""
    try:
        for _ in codecs.iterdecode((content[at : at + PIECE] for at in range(0, len(content), PIECE)), "utf-8"):
            pass
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace").encode()
    return content
