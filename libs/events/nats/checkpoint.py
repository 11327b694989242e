"""How far the NATS stream holds the log: what was proven of it, and what it says itself."""

import asyncio
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.js.api import StreamInfo

from libs.events.log.batches import Append
from libs.events.log.digests import digest
from libs.events.log.store import EventStore
from libs.events.nats.belonging import (
    Events,
    Seals,
    Tally,
    is_as_stored,
    is_of_a_relay,
    is_ours,
)
from libs.events.nats.cloudevents import position_in
from libs.events.nats.losses import Days, Extent, aged, extent, has_lost, position_at
from libs.events.nats.stored import Stored, backwards, forwards

MARK: Final = "relay:mark"
KEY: Final = "relay:key"
"""Names of checkpoints of the event log."""
VERSION: Final = 2
"""An older program could not read compressed events, and published them as they are stored: what it has proven is
proven again."""
KEY_BYTES: Final = 32
SECONDS: Final = 5.0
"""For an answer of NATS."""
LATE: Final = 256
"""Messages at a stream's end among which the one with the last position is: what was missing comes later."""
SURELY: Final = 10_000
"""Messages that look like a relay's behind the last of ours, from which on no more is needed to believe it."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What is proven: the stream made at `created` holds the log up to `position` in its messages up to `sequence`."""

    created: str
    sequence: int
    position: int
    digest: str
    """Of the event at `position`: another life of the log has another event there. Empty for position 0."""
    first: int = 1
    holes: int = 0
    """The stream's extent, with which it was proven."""
    days: Days = ()
    version: int = 1
    """Of the program that proved it, `VERSION`."""


class Standing(NamedTuple):
    """Where a stream stands, at first sight."""

    created: str
    """Which stream of this name it is: ISO 8601."""
    sequence: int
    """Its messages up to here are taken account of."""
    tally: Tally
    extent: Extent
    days: Days
    proven: bool
    """Whether everything before is known to be there, or only what comes last."""


async def describe(client: Client, stream: str) -> StreamInfo:
    """The stream as it is now.

    Raises:
        nats.js.errors.NotFoundError: there is none.
    """
    return await client.jetstream(timeout=SECONDS).stream_info(stream)


def created(info: StreamInfo) -> str:
    """Which stream of its name it is: one that is deleted and made again is another."""
    return info.created.isoformat() if info.created is not None else ""


async def standing(store: EventStore, client: Client, stream: str, key: bytes) -> Standing:
    """Where to go on, without a look at more of the stream than that takes.

    Raises:
        ForeignStreamError: the stream holds events that this log does not have.
        nats.js.errors.NotFoundError: there is no stream.
        StoreError, nats.errors.Error: look again later.
    """
    info = await describe(client, stream)
    which, last = created(info), info.state.last_seq
    events, seals = Events(store), Seals(key, which)
    mark = await asyncio.to_thread(read_mark, store)
    if mark is not None and mark.created == which and mark.version >= VERSION:
        await asyncio.to_thread(_check_same_life, events, mark)
        if mark.sequence <= last:
            lost = has_lost(Extent(mark.first, mark.holes), aged(mark.days, info, datetime.now(UTC)), info)
            tally = Tally(events, seals, mark.position)
            return Standing(which, mark.sequence, tally, extent(info), mark.days, proven=not lost)
    ours = mark is not None and mark.created == which
    position = await _last_of_ours(client, stream, info, _Search(events, seals, known=ours))
    if position is None:
        position = await asyncio.to_thread(_position_before_what_is_kept, store, info)
        return Standing(which, last, Tally(events, seals, position), extent(info), (), proven=info.state.messages == 0)
    return Standing(which, last, Tally(events, seals, position), extent(info), (), proven=False)


class Held(NamedTuple):
    """What a look at a stream finds."""

    position: int
    """Up to where it holds the log, without a gap as far as is known."""
    foreign: int
    """Messages of others that the relay has not taken account of yet."""
    proven: bool
    """Whether all before is proven; if not, the relay is at it, or has yet to begin."""


async def look(store: EventStore, client: Client, stream: str) -> Held:
    """What a stream holds of the log, without a change of anything.

    Raises:
        ForeignStreamError: the stream holds events that this log does not have.
        nats.js.errors.NotFoundError: there is no stream.
        StoreError, nats.errors.Error: look again later.
    """
    key = await asyncio.to_thread(key_of, store)
    place = await standing(store, client, stream, key or os.urandom(KEY_BYTES))
    last, foreign = (await describe(client, stream)).state.last_seq, 0
    async for messages in forwards(client, stream, place.sequence + 1, last):
        foreign += len(await asyncio.to_thread(place.tally.add, messages))
    return Held(place.tally.held, foreign, place.proven)


def read_mark(store: EventStore) -> Mark | None:
    """What was proven last; None when nothing was, or another version wrote it.

    Raises:
        StoreError: the log does not answer.
    """
    try:
        return msgspec.json.decode(store.checkpoint(MARK) or b"", type=Mark)
    except msgspec.DecodeError:
        return None


def write_mark(store: EventStore, which: str, sequence: int, position: int, proven: Extent, days: Days) -> None:
    """Remember what is proven, so that a restart proves only what is new.

    Raises:
        StoreError: the log does not answer.
    """
    recorded = Events(store).at(position) if position else None
    of_event = digest(recorded.raw).hex() if recorded else ""
    mark = Mark(
        created=which,
        sequence=sequence,
        position=position,
        digest=of_event,
        days=days,
        version=VERSION,
        **proven._asdict(),
    )
    store.append(Append(checkpoints={MARK: msgspec.json.encode(mark)}))


def key_of(store: EventStore) -> bytes | None:
    """The key of this log's seals; None before its first relay.

    Raises:
        StoreError: the log does not answer.
    """
    return store.checkpoint(KEY)


def made_key(store: EventStore) -> bytes:
    """The same, made where it is missing.

    Raises:
        StoreError: the log does not answer.
    """
    if (key := key_of(store)) is None:
        store.append(Append(new_checkpoints={KEY: os.urandom(KEY_BYTES)}))
        key = key_of(store)
    if key is None:
        raise RuntimeError("the event log does not keep what is stored in it")
    return key


def _check_same_life(events: Events, mark: Mark) -> None:
    recorded = events.at(mark.position) if mark.position else None
    if mark.position and (recorded is None or digest(recorded.raw).hex() != mark.digest):
        raise events.former_life(mark.position)


class _Search:
    """Looks from the end of a stream for the last message that is ours.

    Of a stream that this log has never proven, messages without its seal may also be of a former life, or of another
    log, which a former version published. They are taken for that only where they go on directly from the last that is
    ours, or nothing is: a forged message that names any later position stops nobody.
    """

    def __init__(self, events: Events, seals: Seals, *, known: bool) -> None:
        self._events, self._seals, self._known = events, seals, known
        self._claimed: set[int] = set()
        """Positions of messages that look like a relay's, and are not in the log."""

    def last_of_ours(self, messages: Iterable[Stored]) -> int | None:
        """The largest position of messages that are ours.

        Raises:
            ForeignStreamError: the stream holds another life.
        """
        last: int | None = None
        for message in messages:
            position = position_in(message.headers)
            if position is None:
                continue
            recorded = self._events.at(position)
            if recorded is not None and is_ours(message, recorded, self._seals):
                last = max(last or 0, position)
            elif self._seals.is_on(message) and not is_as_stored(message, recorded):
                raise self._events.former_life(position)
            elif not self._known and is_of_a_relay(message):
                self._claimed.add(position)
        if len(self._claimed) > SURELY:
            raise self._events.former_life(max(self._claimed))
        return last

    def check(self, last: int | None) -> None:
        """To be called with the last position that is ours, if any is.

        Raises:
            ForeignStreamError: what is behind it, or all there is, is another log's.
        """
        if self._claimed and (last is None or last + 1 in self._claimed):
            raise self._events.former_life(max(self._claimed))


async def _last_of_ours(client: Client, stream: str, info: StreamInfo, search: _Search) -> int | None:
    found, more = list[int](), LATE
    async for messages in backwards(client, stream, max(info.state.first_seq, 1), info.state.last_seq):
        position = await asyncio.to_thread(search.last_of_ours, messages)
        if position is not None:
            found.append(position)
        more -= len(messages) if found else 0
        if more <= 0:
            break
    await asyncio.to_thread(search.check, max(found, default=None))
    return max(found, default=None)


def _position_before_what_is_kept(store: EventStore, info: StreamInfo) -> int:
    """Where to begin on a stream without a message of ours.

    One from which nothing was ever removed gets the whole log. One that was emptied by its age limit, or by somebody,
    gets what it would hold by that limit, so that a quiet month does not bring a project's whole history again.
    """
    if info.state.first_seq <= 1 or not info.config.max_age:
        return 0
    return position_at(store, datetime.now(UTC) - timedelta(seconds=info.config.max_age))
