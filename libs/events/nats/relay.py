"""From the log to NATS JetStream: one leader, in order, with the stream itself as its checkpoint.

The last message of the stream says how far it has come, so a stream that lost its tail, or everything, is filled
again from the log. Every message names the sequence that it must follow, so the stream refuses one that comes out of
order or would leave a gap. In the same way it refuses a second relay that believes it is the leader.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import structlog
from nats.aio.client import Client
from nats.errors import ConnectionClosedError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError
from opentelemetry.trace import SpanKind

from libs.events.log.batches import Recorded
from libs.events.log.store import EventStore
from libs.events.nats.checkpoint import ForeignStreamError, checkpoint
from libs.events.nats.cloudevents import TRACE, headers_of, subject_of
from libs.events.nats.connection import connected, shown
from libs.events.reading.leader import Lease, lead_by_lease
from libs.events.stop import Awaited
from libs.events.tracing import continued

log = structlog.get_logger(__name__)

STREAM: Final = "JIRA"
SUBJECTS: Final = "jira.>"
MAX_AGE_SECONDS: Final = 30 * 24 * 3600
"""Full history is the log's; the stream holds what a module needs to catch up after a holiday."""
DUPLICATE_WINDOW_SECONDS: Final = 120
BATCH: Final = 200
HEADER_ROOM: Final = 2048
"""Bytes of a message's payload limit that its headers may take."""
IDLE_SECONDS: Final = 1.0
"""Longest wait for a new event before the loop looks at its lease and its connection."""
OUT_OF_STEP_SECONDS: Final = 0.5
AUDIT_SECONDS: Final = 5.0
"""How often an idle relay compares the stream's end with its own: messages can be lost while the server stays up."""
EXPECTED_SEQUENCE: Final = "Nats-Expected-Last-Sequence"
WRONG_SEQUENCE: Final = 10071
"""NATS' error code for a message whose expected last sequence is not the stream's."""


async def run_relay(
    store: EventStore,
    nats_url: str,
    stop: Awaited,
    *,
    stream: str = STREAM,
    on_health: Callable[[str | None], None] = lambda _: None,
    on_position: Callable[[int | None], None] = lambda _: None,
) -> None:
    """Publish the log until told to stop; outlives NATS and the database.

    `on_health` hears None while all is well, which includes that another process leads; else why not. `on_position`
    hears up to where the stream holds the log; None while another process leads. NATS being away changes nothing there.
    """

    async def lead(lease: Lease) -> None:
        try:
            await _publish_while_leading(store, nats_url, lease, stream, on_health, on_position)
        except ForeignStreamError as error:
            why = str(error)
        except (NatsError, OSError) as error:
            why = f"NATS at {shown(nats_url)} does not take events: {str(error) or type(error).__name__}"
        else:
            return
        on_health(why)
        log.warning("relay waits", why=why)

    def standby() -> None:
        on_position(None)
        on_health(None)

    await lead_by_lease(store.url, "relay", stop, lead, on_health=on_health, on_standby=standby)


async def _publish_while_leading(
    store: EventStore,
    nats_url: str,
    lease: Lease,
    stream: str,
    on_health: Callable[[str | None], None],
    on_position: Callable[[int | None], None],
) -> None:
    """Publish until the lease is over.

    Raises:
        NatsError, OSError, StoreError, ForeignStreamError: look again from the start.
    """
    clock = asyncio.get_running_loop().time
    async with _connected(nats_url) as client:
        jetstream = client.jetstream(timeout=5)
        await ensure_stream(jetstream, stream)
        position, sequence = await checkpoint(store, jetstream, stream)
        on_health(None)
        audited = clock()
        while await lease.still_held():
            on_position(position)
            if client.is_closed:
                raise ConnectionClosedError
            batch = await asyncio.to_thread(store.read, position, BATCH)
            in_step = True
            if batch:
                in_step = await _published(client, jetstream, stream, batch, sequence)
                position, sequence = batch[-1].position, sequence + len(batch)
            elif not await asyncio.to_thread(store.wait, position, IDLE_SECONDS) and clock() - audited > AUDIT_SECONDS:
                audited = clock()
                in_step = (await jetstream.stream_info(stream)).state.last_seq == sequence
            if not in_step:
                log.warning("the stream's end is not where it was; going on from what it holds", stream=stream)
                await asyncio.sleep(OUT_OF_STEP_SECONDS)
                position, sequence = await checkpoint(store, jetstream, stream)


@contextlib.asynccontextmanager
async def _connected(nats_url: str) -> AsyncIterator[Client]:
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
                # Who wants it filled anew deletes the stream. After a purge the server would still take what we send
                # for duplicates until the window has passed.
                deny_delete=True,
                deny_purge=True,
            )
        )


async def _published(
    client: Client, jetstream: JetStreamContext, stream: str, batch: Sequence[Recorded], sequence: int
) -> bool:
    """Publish a batch behind `sequence`; False when the stream's end is not where we believe it to be."""
    about = {"messaging.system": "nats", "messaging.operation.type": "send", "messaging.destination.name": stream}
    with continued(batch, f"send {stream}", SpanKind.PRODUCER, about) as traces:
        return await _all_published(client, jetstream, batch, sequence, traces)


async def _all_published(
    client: Client,
    jetstream: JetStreamContext,
    batch: Sequence[Recorded],
    sequence: int,
    traces: Mapping[str, str],
) -> bool:
    results = await asyncio.gather(
        *(
            _publish(client, jetstream, recorded, sequence + number, traces.get(recorded.event.trace or ""))
            for number, recorded in enumerate(batch)
        ),
        return_exceptions=True,
    )
    for number, result in enumerate(results, start=1):
        if isinstance(result, APIError) and result.err_code == WRONG_SEQUENCE:
            return False
        if isinstance(result, BaseException):
            raise result
        if result != sequence + number:
            return False
    return True


async def _publish(
    client: Client, jetstream: JetStreamContext, recorded: Recorded, sequence: int, trace: str | None
) -> int:
    too_large = len(recorded.raw) + HEADER_ROOM > client.max_payload
    headers = headers_of(recorded, referenced=too_large)
    if trace is not None:
        headers[TRACE] = trace
    ack = await jetstream.publish(
        subject_of(recorded),
        b"" if too_large else recorded.raw,
        headers={**headers, EXPECTED_SEQUENCE: str(sequence)},
    )
    return ack.seq
