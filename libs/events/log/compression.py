"""Stored events, compressed: Jira's JSON shrinks to less than half, and less is written than compressing costs.

Events of before are not compressed, and are read as they are: no JSON begins as a compressed one does.
"""

import threading
from typing import Final

import zstandard
from eventsourcing.persistence import Compressor

LEVEL: Final = 1
"""The fastest: what the others save is not worth their time."""
MAGIC: Final = zstandard.FRAME_HEADER
"""How a compressed event begins."""
WORTH_IT: Final = 256
"""Bytes from which on compressing saves something."""


class Zstandard(Compressor):
    """The library's hook for what is stored; thread-safe."""

    def __init__(self) -> None:
        self._own = _Contexts()

    def compress(self, data: bytes) -> bytes:
        return self._own.compressor.compress(data) if len(data) >= WORTH_IT else data

    def decompress(self, data: bytes) -> bytes:
        """What was stored, compressed or not.

        Raises:
            ValueError: it was compressed, and is damaged.
        """
        if not is_compressed(data):
            return data
        try:
            return self._own.decompressor.decompress(data)
        except zstandard.ZstdError as error:
            raise ValueError(f"the compressed event is damaged: {error}") from error


class _Contexts(threading.local):
    """Each thread's own: they are reused, which is most of the speed, and take one call at a time."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True, write_checksum=True)
        self.decompressor = zstandard.ZstdDecompressor()


def is_compressed(data: bytes) -> bool:
    return data.startswith(MAGIC)
