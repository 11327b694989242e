"""What a kind of oddity is, and how one is chosen for a record."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

Change = Callable[[Any, random.Random], Any]
"""From a record's right JSON to its odd one. It may change the value in place; the same numbers come each time."""


class Loss(Enum):
    """What a reader may lose of an odd record at most, as long as it is odd."""

    NOTHING = "nothing"
    """The record is fully right all the same."""
    FIELDS = "fields"
    """The record is there; some of its fields may be empty or as odd as they were shown."""
    RECORD = "record"
    """The record may be missing, or stay as it was; then it is named."""


class Kind(NamedTuple):
    """One way of being odd."""

    name: str
    change: Change
    loss: Loss = Loss.NOTHING
    fields: frozenset[str] = frozenset()
    """What may be lost of it where `loss` is FIELDS, as columns of the read tables; empty: any."""
    flickers: bool = False
    """Whether each read shows it otherwise."""
    instead: Enum | None = None
    """What the whole record or list is replaced by, where it is no JSON value."""


class Absent(Enum):
    """Instead of an issue that was asked for by its id; a search shows it all the same."""

    UNMENTIONED = "unmentioned"
    """As long as others are asked for with it: to be passed over alone is how Jira says that an issue is gone."""
    TIMED_OUT = "timed out"


class ListFault(Enum):
    """Instead of a list at an address of its own."""

    IGNORES_START = "every page is the first one"
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    BROKEN = 500
    BAD_GATEWAY = 502
    AWAY = 503
    SLOW = 504

    @property
    def status(self) -> int | None:
        return self.value if isinstance(self.value, int) else None


def harmless(name: str, change: Change, *, flickers: bool = False) -> Kind:
    return Kind(name, change, flickers=flickers)


def partial(name: str, change: Change, *fields: str) -> Kind:
    return Kind(name, change, Loss.FIELDS, frozenset(fields))


def unreadable(name: str, change: Change) -> Kind:
    return Kind(name, change, Loss.RECORD)


def replaced(name: str, instead: Enum) -> Kind:
    return Kind(name, unchanged, Loss.RECORD, instead=instead)


def refused_with(*faults: ListFault, loss: Loss = Loss.RECORD) -> tuple[Kind, ...]:
    """A list or look-up that is refused, in as many ways."""
    return tuple(Kind(f"refused with {fault.status}", unchanged, loss, instead=fault) for fault in faults)


def unchanged(record: Any, _: random.Random) -> Any:
    return record


def chosen(kinds: Sequence[Kind], rate: float, seed: int, record: str, id_: str) -> Kind | None:
    """The kind of a record; None when it is not odd, as `1 - rate` of all are."""
    rng = random.Random(f"{seed} {record} {id_}")
    return rng.choice(kinds) if rng.random() < rate else None


def put(*path: str, value: object) -> Change:
    """A change that puts a value at a path of keys; where the path ends early, nothing is changed."""
    return put_one_of((value,), *path)


def put_one_of(values: Sequence[object], *path: str) -> Change:
    """A change that puts one of these values at a path of keys."""

    def change(record: Any, rng: random.Random) -> Any:
        value, inner = rng.choice(values), record
        for key in path[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[path[-1]] = value
        return record

    return change


def without(*path: str) -> Change:
    """A change that takes the key at the end of a path away."""

    def change(record: Any, _: random.Random) -> Any:
        inner = record
        for key in path[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.pop(path[-1], None)
        return record

    return change


def replaced_by_one_of(*values: object) -> Change:
    """A change that shows one of these values instead of the record."""
    return lambda _, rng: rng.choice(values)


def as_other(key: str, convert: Callable[[Any], Any]) -> Change:
    """A change that says the same under a key in another type."""
    return lambda record, _: record | {key: convert(record[key])}


def both(first: Change, second: Change) -> Change:
    """One change after the other."""
    return lambda record, rng: second(first(record, rng), rng)


ODD_TIMES: Final = (
    None,
    "",
    "51502-06-08T14:46:42.000+0000",
    "0001-01-01T00:00:00.000+1400",
    "9999-12-31T23:59:59.999-1200",
    "2026-13-45T00:00:00.000+0000",
    "yesterday",
    1767323045678,
    1767323045,
    {"iso": "2026-01-02"},
)
"""Where a time is documented as text of ISO 8601 within the calendar."""
