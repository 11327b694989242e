"""What is handed to the log in one piece, and what comes back."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from libs.events.log.inventory.folding import Facts
from libs.events.types.event import Event

Closing = Callable[[int], tuple[Sequence["Change"], bytes]]
"""Gets the number of changes that were new; gives what closes the batch: more events, and the outcome to store."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An event to append.

    Without a digest it is always appended. With one, the append is idempotent: the stream's last digest again, or an
    answer older than the last one (`judging`), appends nothing; another `updated` appends; the same `updated` with
    other bytes appends only when the canonical payloads differ (`digests`). Of users and sprints neither the digest nor
    `updated` decides but what they say (`parts`).
    """

    event: Event
    digest: bytes | None = None
    updated: datetime | None = None
    asked_at: datetime | None = None
    """When Jira was asked. Of two answers the one asked for later counts, whatever their `updated`."""
    claims: bool = False
    """Whether it is news that the event is of another project than the last one, or read with another sprint field."""


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction: events, and what their writer must remember of them."""

    changes: Sequence[Change] = ()
    checkpoints: Mapping[str, bytes] = {}
    """Named values to set."""
    new_checkpoints: Mapping[str, bytes] = {}
    """Named values to set where the name is new."""
    forget: Sequence[str] = ()
    """Names to remove before the others are set; a trailing * stands for every name that begins so."""
    idempotency_key: str | None = None
    """Key under which this batch is stored once: a repetition writes nothing and gets the first one's outcome."""
    outcome: bytes = b""
    """What a repetition is answered with."""
    expect: Mapping[UUID, int] = {}
    """Versions that streams must still have, 0 for an empty one: what was decided on an older state is not stored."""
    closing: Closing | None = None
    """Called with the number of new events, in every attempt: another writer may have been first, so it must only
    compute. Its outcome takes the place of `outcome`."""


class Appended(NamedTuple):
    """What an append did."""

    positions: tuple[int, ...]
    """Places of `appended` in the log, in the same order."""
    appended: tuple[Event, ...]
    """The events that were new, with their versions and the time of recording."""
    repeated: bool
    """The idempotency key was there already: nothing was written."""
    outcome: bytes
    """Of this batch; of the first one when repeated."""


class Recorded(NamedTuple):
    """An event as it stands in the log."""

    position: int
    event: Event
    topic: str
    raw: bytes
    """The stored bytes."""


NewRow = tuple[UUID, int, str, bytes]
"""Stream, version, topic and bytes of an event that is to be stored: the library's object of them takes longer."""

StoredRow = tuple[int, UUID | str, int, str, bytes]
"""Position, stream (its digits where a database has no type for it), version, topic and stored bytes of an event."""


class Placed(NamedTuple):
    """An event of the log, and whether a later one of its stream was there when one began to read."""

    recorded: Recorded
    superseded: bool


class Head(NamedTuple):
    """Where a stream stands."""

    version: int
    digest: bytes
    updated: str
    """ISO 8601 UTC; empty when the stream's events carry none. Texts of one form compare as the times do."""
    asked: str = ""
    """When Jira was asked for it, in the same form; empty when nobody said."""

    @classmethod
    def from_row(cls, version: int, digest: bytes, times: str) -> "Head":
        updated, _, asked = times.partition(" ")
        return cls(version, digest, updated, asked)

    def row(self) -> tuple[int, bytes, str]:
        """Its columns. Both times share the one that logs of former versions have for `updated`."""
        return self.version, self.digest, f"{self.updated} {self.asked}" if self.asked else self.updated


NO_HEAD: Final = Head(0, b"", "")
"""Of a stream without events."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What a recorder writes beside the events, in their transaction."""

    heads: Sequence[tuple[UUID, Head]] = ()
    """Of streams that the log knows."""
    new_heads: Sequence[tuple[UUID, Head]] = ()
    """Of streams that it has not known: the database refuses the whole batch if it does."""
    facts: Facts = Facts()
    """Those of the events that count for the inventory."""
    checkpoints: Mapping[str, bytes] = {}
    new_checkpoints: Mapping[str, bytes] = {}
    forget: Sequence[str] = ()
    idempotency_key: str | None = None
    outcome: bytes = b""
    at: str = ""
