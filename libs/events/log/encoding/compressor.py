"""Stored events, compressed each by itself: Jira's JSON shrinks to a quarter, and writing less pays for it.

What an event shares with all others, the compressor knows from a dictionary. Each compressed event names its own by
number, so another dictionary may come, but none that was released may change or go. `benchmarks/log/dictionary.py` has
made it.

Events of before are not compressed, and are read as they are: no JSON begins as a compressed one does.
"""

import functools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import zstandard
from eventsourcing.persistence import Compressor

LEVEL: Final = 1
"""The fastest: what the others save is not worth their time."""
MAGIC: Final = zstandard.FRAME_HEADER
"""How a compressed event begins."""
WORTH_IT: Final = 128
"""Bytes from which on compressing saves something."""
DICTIONARIES: Final[Mapping[int, str]] = {1: "events-1.dict"}
"""By the number in each compressed event; the last one is for new events."""


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
            number = zstandard.get_frame_parameters(data).dict_id
            return self._own.decompressor(number).decompress(data)
        except KeyError as error:
            raise ValueError(f"the event was compressed by a newer version, with dictionary {error}") from error
        except zstandard.ZstdError as error:
            raise ValueError(f"the compressed event is damaged: {error}") from error


class _Contexts(threading.local):
    """Each thread's own: they are reused, which is most of the speed, and take one call at a time."""

    def __init__(self) -> None:
        known = _dictionary(max(DICTIONARIES))
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=known, write_checksum=True)
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {}

    def decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        """For events that were compressed with a dictionary, 0 being none.

        Raises:
            KeyError: this version does not have it.
        """
        if number not in self._decompressors:
            known = _dictionary(number) if number else None
            self._decompressors[number] = zstandard.ZstdDecompressor(dict_data=known)
        return self._decompressors[number]


@functools.cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    known = zstandard.ZstdCompressionDict(Path(__file__).with_name(DICTIONARIES[number]).read_bytes())
    known.precompute_compress(level=LEVEL)
    return known


def is_compressed(data: bytes) -> bool:
    return data.startswith(MAGIC)
