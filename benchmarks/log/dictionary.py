"""Makes the dictionary with which events are compressed: ``python -m benchmarks.log.dictionary FILE`` writes it.

It knows how events and Jira's JSON are built, and nothing of what people write: the texts of the samples, which are a
simulated Jira's, are replaced by noise. Once released, a dictionary never changes, for what was compressed with it is
read with it; another one gets a name and a number of its own.
"""

from __future__ import annotations

import random
import re
import string
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard

from benchmarks.whole.stack import simulated_jira, stack, stack_at, until_visible
from libs.events import open_store
from libs.runtime import event_database

ISSUES: Final = 2000
BYTES: Final = 16 * 1024
NUMBER: Final = 1
NAMES: Final = re.compile(rb"[0-9a-f]{12,}|simulated")
"""Of accounts and of the site: those of a simulation are nobody's."""
STRUCTURE: Final = 0.02
"""The part of the samples from which on a text belongs to the structure: a type, the name of a state."""


def main(file: Path) -> None:
    samples: list[Any] = [msgspec.json.decode(raw) for raw in events()]
    known = structure(samples)
    chance = random.Random(NUMBER)
    random.Random(NUMBER).shuffle(samples)
    texts: list[bytes | bytearray | memoryview] = [
        _without_names(msgspec.json.encode(without_words(sample, known, chance)), chance) for sample in samples
    ]
    trained = zstandard.train_dictionary(BYTES, texts, level=1, dict_id=NUMBER)
    file.write_bytes(trained.as_bytes())


def events() -> Iterator[bytes]:
    """The stored bytes of a simulated project's events."""
    with simulated_jira(ISSUES) as jira, stack(jira) as (url, _):
        until_visible(url, ISSUES)
        with closing(open_store(event_database(stack_at(url).database_url))) as store:
            for each in store.read(0, 100_000):
                yield each.raw


def structure(samples: list[Any]) -> frozenset[str]:
    """Texts that so many samples hold that they are no one's words."""
    counted: Counter[str] = Counter()
    for sample in samples:
        counted.update(set(_texts(sample)))
    return frozenset(text for text, times in counted.items() if times >= STRUCTURE * len(samples))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def without_words(value: Any, known: frozenset[str], chance: random.Random) -> Any:
    """The sample with letters and digits of all other texts replaced by others; what is between them stays."""
    if isinstance(value, dict):
        return {name: without_words(part, known, chance) for name, part in value.items()}
    if isinstance(value, list):
        return [without_words(part, known, chance) for part in value]
    if not isinstance(value, str) or (value in known and " " not in value.strip()):
        return value
    if value.startswith("http"):
        return value  # an address is structure but for its end
    return "".join(_other(letter, chance) for letter in value)


def _without_names(sample: bytes, chance: random.Random) -> bytes:
    """The sample with other accounts and another site: the same for the same ones, as in each answer of Jira."""
    others: dict[bytes, bytes] = {}

    def other(found: re.Match[bytes]) -> bytes:
        name = found[0]
        if name not in others:
            others[name] = bytes(chance.choice(b"0123456789abcdef") for _ in name)
        return others[name]

    return NAMES.sub(other, sample)


def _other(letter: str, chance: random.Random) -> str:
    if letter.isdigit():
        return chance.choice(string.digits)
    return chance.choice(string.ascii_lowercase) if letter.isalpha() else letter


if __name__ == "__main__":
    main(Path(sys.argv[1]))
