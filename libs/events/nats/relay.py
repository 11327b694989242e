"""From the log to NATS JetStream: one leader, in order, and the stream holds the log whoever else publishes there.

Every message names the message and the sequence that it must follow, so the stream refuses what comes out of order,
and the rest of a batch behind whatever came in between. In the same way it refuses a second relay that believes it is
the leader. After any such disturbance the relay reads what the stream holds beyond what it knows, message by message:
what is not of its log is passed over and told, what is missing is published again (`belonging`, `checkpoint`).

What is proven is marked in the log, so a restart proves only what came after. A stream of which nothing is proven (the
first start of this version, a stream that lost its end) is read from its beginning beside the publishing. So is one
that says that it has lost messages since: NATS drops what its damaged files held, when somebody reads there, and goes
on as if nothing had been.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from nats.errors import ConnectionClosedError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StoreCompression, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

from libs.events.log.batches import Recorded
from libs.events.log.store import EventStore
from libs.events.nats.belonging import Events, Foreign, ForeignStreamError, Seals, Tally
from libs.events.nats.checkpoint import created, describe, made_key, standing, write_mark
from libs.events.nats.cloudevents import MESSAGE_ID, position_of
from libs.events.nats.connection import Connection, connected, shown
from libs.events.nats.losses import Days, Extent, aged, extent, has_lost, keeps_all, kept_after, with_day
from libs.events.nats.sending import BATCH, Landed, Sender
from libs.events.nats.stored import backwards, forwards
from libs.events.reading.leader import Lease, lead_by_lease
from libs.events.stop import Awaited

log = structlog.get_logger(__name__)

STREAM: Final = "JIRA"
SUBJECTS: Final = "jira.>"
MAX_AGE_SECONDS: Final = 30 * 24 * 3600
"""Full history is the log's; the stream holds what a module needs to catch up after a holiday."""
DUPLICATE_WINDOW_SECONDS: Final = 120
IDLE_SECONDS: Final = 1.0
"""Longest wait for a new event before the loop looks at its lease and its connection."""
OUT_OF_STEP_SECONDS: Final = 0.5
"""Pause after a disturbance that leaves no trace in the stream."""
AUDIT_SECONDS: Final = 5.0
"""How often the relay looks at what the stream says of itself: messages can be lost while the server stays up."""
MARK_SECONDS: Final = 5.0
"""How often what is proven is marked, while it grows."""
FOREIGN_STREAM_SECONDS: Final = 5.0
"""Between two looks at a stream of another life."""
LOGGED_ALONE: Final = 20
"""Foreign messages that are logged one by one, of those found at once."""
LOOK_BACK: Final = 20_000
"""Messages among which ids that others have used are looked for."""


class Watcher:
    """Hears what the relay finds in the stream. This one does nothing; the methods are called in the event loop."""

    def foreign(self, messages: Sequence[Foreign]) -> None:
        """Messages that are not of this log. They are passed over."""

    def repaired(self, positions: Sequence[int]) -> None:
        """Events that were missing in the stream, and are published again."""

    def other_life(self, why: str | None) -> None:
        """Why nothing is published: the stream holds events that the log does not have. None: it does not."""

    def standby(self) -> None:
        """Another process leads, and hears all this."""


class StreamChangedError(Exception):
    """The stream was deleted and made again, or has lost its end: what is known of it is void."""


async def run_relay(
    store: EventStore,
    nats_url: str,
    stop: Awaited,
    *,
    stream: str = STREAM,
    on_health: Callable[[str | None], None] = lambda _: None,
    on_position: Callable[[int | None], None] = lambda _: None,
    watcher: Watcher | None = None,
) -> None:
    """Publish the log until told to stop; outlives NATS, the database, and whatever others publish.

    `on_health` hears None while all is well, which includes that another process leads; else why not. `on_position`
    hears up to where the stream holds the log; None while another process leads. NATS being away changes nothing there.
    """
    watching = watcher or Watcher()

    async def lead(lease: Lease) -> None:
        pause = 0.0
        try:
            async with _connected(nats_url) as client:
                term = _Relaying(store, client, stream, watching)
                await _unless_lost(client, term.run(lease, on_health, on_position))
        except StreamChangedError:
            log.warning("the stream is not what it was; going on from what it holds", stream=stream)
            return
        except ForeignStreamError as error:
            why, pause = str(error), FOREIGN_STREAM_SECONDS
            watching.other_life(why)
        except (NatsError, OSError) as error:
            why = f"NATS at {shown(nats_url)} does not take events: {str(error) or type(error).__name__}"
        else:
            return
        on_health(why)
        log.warning("relay waits", why=why)
        await lease.sleep(pause)

    def standby() -> None:
        on_position(None)
        on_health(None)
        watching.standby()

    await lead_by_lease(store.url, "relay", stop, lead, on_health=on_health, on_standby=standby)


class _Relaying:
    """One term of a leader on one connection: what it knows of the stream, and how it goes on from there."""

    def __init__(self, store: EventStore, client: Connection, stream: str, watcher: Watcher) -> None:
        self._store, self._client, self._stream, self._watcher = store, client, stream, watcher
        self._clock = asyncio.get_running_loop().time
        self._looked_for_taken = False
        self._refusal = ""
        """The last, in the server's words."""
        self._proof: asyncio.Task[Tally] | None = None
        """Reads the stream from its beginning, beside the publishing."""
        self._marked: tuple[int, int, Extent, Days] | None = None
        self._marked_at = 0.0

    async def run(
        self, lease: Lease, on_health: Callable[[str | None], None], on_position: Callable[[int | None], None]
    ) -> None:
        """Publish until the lease is over.

        Raises:
            NatsError, OSError, StoreError, ForeignStreamError, StreamChangedError: look again from the start.
        """
        await ensure_stream(self._client.jetstream(timeout=5), self._stream)
        key = await asyncio.to_thread(made_key, self._store)
        place = await standing(self._store, self._client, self._stream, key)
        self._created, self._sequence, self._tally = place.created, place.sequence, place.tally
        self._extent, self._days = place.extent, place.days
        self._seals = Seals(key, self._created)
        self._sender = Sender(self._client, self._stream, self._seals)
        await self._sender.open()
        if not place.proven:
            self._prove()
        try:
            await self._look()
            on_health(None)
            self._watcher.other_life(None)
            await self._relay(lease, on_position)
        finally:
            if self._proof is not None:
                self._proof.cancel()
                await asyncio.wait((self._proof,))

    async def _relay(self, lease: Lease, on_position: Callable[[int | None], None]) -> None:
        audited = self._clock()
        while await lease.still_held():
            if self._proof is not None and self._proof.done():
                self._tally.follow(self._proof.result())
                self._proof = None
            on_position(self._tally.held)
            await self._mark(MARK_SECONDS)
            if self._clock() - audited > AUDIT_SECONDS:
                audited = self._clock()
                await self._audit()
            top = self._tally.top or 0
            if self._tally.missing:
                await self._repair(self._tally.missing[0])
            elif batch := await asyncio.to_thread(self._next, top):
                await self._publish(batch, lease, on_position)
        await self._mark(0)

    def _next(self, top: int) -> Sequence[Recorded]:
        """What the log has behind a position, after a wait for it if need be. Blocks, as one step of one thread."""
        if (batch := self._store.read(top, BATCH)) or not self._store.wait(top, IDLE_SECONDS):
            return batch
        return self._store.read(top, BATCH)

    async def _publish(
        self, batch: Sequence[Recorded], lease: Lease, on_position: Callable[[int | None], None]
    ) -> None:
        """Publish a batch, and what follows it, behind what is known; what arrives in its place is known from then on.

        Several batches are on their way at once, while the next is read, until the log has no more, something else is
        due, or one does not arrive whole: what was sent behind it is refused, too.
        """
        before, until = self._known(), self._clock() + min(AUDIT_SECONDS, MARK_SECONDS)
        whole = True
        self._sender.send(batch, self._sequence)
        reading = asyncio.create_task(self._following(batch), name="read on")
        try:
            while whole and (batch := await reading) and self._clock() < until and await lease.still_held():
                self._sender.send(batch, self._sequence)
                reading = asyncio.create_task(self._following(batch), name="read on")
                while whole and self._sender.is_full:
                    whole = await self._land()
                    on_position(self._tally.held)
            while whole and self._sender.on_their_way:
                whole = await self._land()
        finally:
            await self._sender.drop()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if not whole:
            await self._look_again(before)

    async def _following(self, batch: Sequence[Recorded]) -> Sequence[Recorded]:
        """What the log has behind a batch; nothing where it had no more than that already."""
        return await asyncio.to_thread(self._store.read, batch[-1].position, BATCH) if len(batch) == BATCH else ()

    async def _land(self) -> bool:
        """Take account of the first batch on its way, when it lands. Where it is not whole, nothing is on its way then.

        Raises:
            NatsError, OSError: NATS does not take events.
        """
        landed = self._counted(await self._sender.land())
        if landed.arrived:
            self._tally.top = landed.batch[landed.arrived - 1].position
        if not landed.whole:
            await self._sender.settle()
        return landed.whole

    def _counted(self, landed: Landed) -> Landed:
        self._sequence += landed.arrived
        self._refusal = landed.refusal or self._refusal
        return landed

    async def _repair(self, gap: range) -> None:
        """Publish again what is missing."""
        batch = await asyncio.to_thread(self._store.read, gap.start - 1, BATCH, (), gap.stop - 1)
        before = self._known()
        self._sender.send(batch, self._sequence)
        arrived = self._counted(await self._sender.land()).arrived
        if arrived < len(batch) and batch[arrived].position in self._sender.taken:
            # NATS remembers the ids of what it has lost, for a while.
            self._sender.taken.update(recorded.position for recorded in batch)
        done = [recorded.position for recorded in batch[:arrived]]
        if done:
            log.warning("missing events published again", stream=self._stream, first=done[0], last=done[-1])
            self._watcher.repaired(done)
        whole = arrived == len(batch) < BATCH
        self._tally.remove(gap if whole else range(gap.start, done[-1] + 1 if done else gap.start))
        if arrived < len(batch):
            await self._look_again(before)
        elif not self._tally.missing:
            self._marked_at = 0.0

    def _known(self) -> tuple[int, int]:
        """Grows with all that is learnt of the stream."""
        return self._sequence, len(self._sender.taken)

    async def _look_again(self, before: tuple[int, int]) -> None:
        """After a disturbance: go on from what the stream holds. `before`: what was known before it."""
        await self._look()
        if self._known()[1] > before[1] and not self._looked_for_taken:
            await self._look_for_taken()
        if self._known() == before:
            log.warning("the stream refuses what follows its end; trying again", stream=self._stream, why=self._refusal)
            await asyncio.sleep(OUT_OF_STEP_SECONDS)

    async def _look_for_taken(self) -> None:
        """Learn at once which ids of coming events others have used, rather than by one refusal after another."""
        self._looked_for_taken, coming = True, self._tally.top or 0
        async for messages in backwards(self._client, self._stream, max(self._sequence - LOOK_BACK, 1), self._sequence):
            ids = (position_of(message.headers.get(MESSAGE_ID, "")) for message in messages)
            self._sender.taken |= {position for position in ids if position is not None and position > coming}

    async def _look(self) -> StreamInfo:
        """Take account of the messages that have come since the last look; the stream as it was then.

        Raises:
            StreamChangedError: it is not the same stream any more.
            ForeignStreamError: it is of another life of the log.
        """
        info = await describe(self._client, self._stream)
        last = info.state.last_seq
        if created(info) != self._created or last < self._sequence:
            raise StreamChangedError
        async for messages in forwards(self._client, self._stream, self._sequence + 1, last):
            self._tell(await asyncio.to_thread(self._tally.add, messages))
            self._sequence = messages[-1].sequence
        self._sequence = last
        return info

    async def _audit(self) -> None:
        """Whether the stream has lost anything, and the log is still the same: both can change while all goes well."""
        info = await self._look()
        head, top = await asyncio.to_thread(self._store.head), self._tally.top or 0
        if head < top:
            raise await asyncio.to_thread(Events(self._store).former_life, top)
        if self._proof is not None or self._tally.missing:
            return
        now = datetime.now(UTC)
        if has_lost(self._extent, aged(self._days, info, now), info):
            log.warning("the stream has lost messages; reading it for what is missing", stream=self._stream)
            self._prove()
        else:
            self._extent = extent(info)
            self._days = with_day(self._days, info.state.last_seq, info, now)

    def _prove(self) -> None:
        work = self._proved(self._sequence, self._tally.top or 0)
        self._proof = asyncio.create_task(work, name="prove the stream")

    async def _proved(self, last: int, top: int) -> Tally:
        """Read the stream from its beginning up to `last`, which holds the event `top`, for what is missing there."""
        info = await describe(self._client, self._stream)
        self._extent = extent(info)
        after = await asyncio.to_thread(kept_after, self._store, info, datetime.now(UTC))
        tally = Tally(Events(self._store), self._seals, after, aged=after or 0)
        async for messages in forwards(self._client, self._stream, max(info.state.first_seq, 1), last):
            self._tell(await asyncio.to_thread(tally.add, messages))
        if after is not None:
            await asyncio.to_thread(tally.expect, top)
        if not keeps_all(info):
            tally.missing.clear()
        log.info("the stream is proven against the log", stream=self._stream, missing=sum(map(len, tally.missing)))
        return tally

    def _tell(self, found: Sequence[Foreign]) -> None:
        for message in found[:LOGGED_ALONE]:
            log.warning("foreign message passed over", stream=self._stream, **message._asdict())
        if len(found) > LOGGED_ALONE:
            log.warning("more foreign messages passed over", stream=self._stream, count=len(found) - LOGGED_ALONE)
        if found:
            self._watcher.foreign(found)
            self._sender.taken |= {message.takes for message in found if message.takes is not None}

    async def _mark(self, seconds: float) -> None:
        """Mark what is proven, where it has grown and the last mark is older than that."""
        if self._tally.missing or self._proof is not None or self._clock() - self._marked_at < seconds:
            return
        proven = self._sequence, self._tally.held, self._extent, self._days
        if proven == self._marked:
            return
        await asyncio.to_thread(write_mark, self._store, self._created, *proven)
        self._marked, self._marked_at = proven, self._clock()


@contextlib.asynccontextmanager
async def _connected(nats_url: str) -> AsyncIterator[Connection]:
    """A connection that ends when it is lost.

    The loop around it makes a new one and looks at the stream anew, whereas one that reconnects by itself would send
    what it had buffered to a server that may have lost its data meanwhile.
    """

    async def on_error(error: Exception) -> None:
        # A refused publish looks like a plain time-out to its caller; the reason comes here only.
        log.warning("NATS reports", error=str(error))

    client = await connected(nats_url, on_error)
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            await client.close()


async def _unless_lost(client: Connection, work: Coroutine[Any, Any, None]) -> None:
    """Do it for as long as the connection lives: what waits for an answer would hear of its end by a time-out only.

    Raises:
        ConnectionClosedError: it is lost.
    """
    task = asyncio.create_task(work, name="relay")
    lost = asyncio.create_task(client.lost.wait(), name="the connection is lost")
    try:
        await asyncio.wait((task, lost), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ConnectionClosedError
        await task
    finally:
        lost.cancel()
        task.cancel()
        await asyncio.wait((task, lost))


async def ensure_stream(jetstream: JetStreamContext, stream: str = STREAM) -> None:
    """Create the stream where it is absent; one that exists is left as its operator made it."""
    try:
        await jetstream.stream_info(stream)
    except NotFoundError:
        await jetstream.add_stream(
            StreamConfig(
                name=stream,
                subjects=[SUBJECTS],
                storage=StorageType.FILE,
                retention=RetentionPolicy.LIMITS,
                discard=DiscardPolicy.OLD,
                max_age=MAX_AGE_SECONDS,
                duplicate_window=DUPLICATE_WINDOW_SECONDS,
                # On disk alone: subscribers see nothing of it.
                compression=StoreCompression.S2,
                # Who wants it filled anew deletes the stream. After a purge the server would still take what we send
                # for duplicates until the window has passed.
                deny_delete=True,
                deny_purge=True,
            )
        )
