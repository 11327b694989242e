"""Values that stand where others are documented, and the fuzzer that puts them into a record."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from typing import Any, Final

from libs.jira_simulator.odd.kinds import Change

HALF_EMOJI: Final = "\ud83d"
"""The first half of a surrogate pair; as JSON it is an escape, which RFC 8259 allows."""

EXTREMES: Final[tuple[object, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    10**40,
    "",
    " ",
    "0",
    "null",
    "2",
    f"cut {HALF_EMOJI}",
    "\udc00 turned \ud800",
    "a\u0000b",
    "\u202eright to left\u0007",
    "long " * 15_000,
    "51502-06-08T14:46:42.000+0000",
    "0001-01-01T00:00:00.000+1400",
    [],
    [None],
    [[["deep"]]],
    {},
    {"id": None},
    {"": {"": []}},
)

Place = tuple[Any, str | int]
"""A container and the key or index of one of its values."""


def fuzzed(record: Any, rng: random.Random, leave: Collection[str] = ()) -> Any:
    """The record with one of its scalars replaced by an extreme; values under the keys of `leave` stay as they are."""
    places = list(_scalars(record, leave))
    if places:
        container, key = rng.choice(places)
        # Sorted by nothing but the table: the same numbers give the same value.
        container[key] = rng.choice([value for value in EXTREMES if value != container[key]])
    return record


def fuzzing(*leave: str) -> Change:
    """A change that fuzzes a record but for the values under these keys."""
    return lambda record, rng: fuzzed(record, rng, leave)


def _scalars(value: Any, leave: Collection[str]) -> Iterator[Place]:
    inner: Iterator[tuple[Any, Any]]
    if isinstance(value, dict):
        inner = ((key, value[key]) for key in list(value) if key not in leave)
    elif isinstance(value, list):
        inner = iter(list(enumerate(value)))
    else:
        return
    for key, below in inner:
        if isinstance(below, dict | list):
            yield from _scalars(below, leave)
        else:
            yield value, key
