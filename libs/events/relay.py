"""From the log to NATS JetStream: one leader, in order, with the stream itself as its checkpoint.

The last message of the stream says how far it has come, so a stream that lost its tail, or everything, is filled
again from the log. Repeats within the duplicate window are dropped by NATS, later ones are recognised by their id.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Protocol

import nats
import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RawStreamMsg, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from libs.events.batches import Recorded
from libs.events.cloudevents import MESSAGE_ID, headers_of, subject_of
from libs.events.leader import leadership
from libs.events.store import EventStore

log = structlog.get_logger(__name__)

STREAM: Final = "JIRA"
SUBJECTS: Final = "jira.>"
MAX_AGE_SECONDS: Final = 30 * 24 * 3600
"""Full history is the log's; the stream holds what a module needs to catch up after a holiday."""
DUPLICATE_WINDOW_SECONDS: Final = 120
BATCH: Final = 200
HEADER_ROOM: Final = 2048
"""Bytes of a message's payload limit that its headers may take."""
RETRY_SECONDS: Final = 1.0
AUDIT_EVERY_SECONDS: Final = 5.0
"""How often an idle relay compares the stream's end with its own: NATS may have come back without its data."""


class Stopping(Protocol):
    """Something that says when to end."""

    def is_set(self) -> bool: ...


async def run_relay(
    store: EventStore,
    nats_url: str,
    stop: Stopping,
    *,
    stream: str = STREAM,
    on_health: Callable[[str | None], None] = lambda _: None,
) -> None:
    """Publish the log until told to stop. `on_health` hears None while all is well, else why not."""
    while not stop.is_set():
        with leadership(store.url, "relay") as leads:
            if not leads:
                on_health(None)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                await _lead(store, nats_url, stop, stream, on_health)
            except (NatsError, OSError, TimeoutError) as error:
                why = f"NATS at {nats_url} does not take events: {str(error) or type(error).__name__}"
                on_health(why)
                log.warning("relay waits for NATS", why=why)
                await asyncio.sleep(RETRY_SECONDS)


async def _lead(
    store: EventStore, nats_url: str, stop: Stopping, stream: str, on_health: Callable[[str | None], None]
) -> None:
    async def on_error(error: Exception) -> None:
        # A refused publish looks like a plain time-out to its caller; the reason comes here only.
        log.warning("NATS reports", error=str(error))

    client = await nats.connect(
        nats_url, max_reconnect_attempts=-1, error_cb=on_error, connect_timeout=2, allow_reconnect=False
    )
    try:
        jetstream = client.jetstream(timeout=5)
        await ensure_stream(jetstream, stream)
        on_health(None)
        await _publish_on(store, client, jetstream, stop, stream)
    finally:
        with contextlib.suppress(Exception):
            await client.close()


async def ensure_stream(jetstream: JetStreamContext, stream: str = STREAM) -> None:
    """Create the stream where it is absent."""
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
                deny_delete=True,
            )
        )


async def _publish_on(
    store: EventStore, client: Client, jetstream: JetStreamContext, stop: Stopping, stream: str
) -> None:
    position, sequence = await checkpoint(jetstream, stream)
    loop = asyncio.get_running_loop()
    audited = loop.time()
    while not stop.is_set():
        batch = await asyncio.to_thread(store.read, position, BATCH)
        if batch:
            acks = await asyncio.gather(*(_publish(client, jetstream, recorded) for recorded in batch))
            position, sequence = batch[-1].position, max(acks)
        elif not await asyncio.to_thread(store.wait, position, 1.0) and loop.time() - audited > AUDIT_EVERY_SECONDS:
            audited = loop.time()
            if (await jetstream.stream_info(stream)).state.last_seq < sequence:
                position, sequence = await checkpoint(jetstream, stream)


async def _publish(client: Client, jetstream: JetStreamContext, recorded: Recorded) -> int:
    too_large = len(recorded.raw) + HEADER_ROOM > client.max_payload
    ack = await jetstream.publish(
        subject_of(recorded),
        b"" if too_large else recorded.raw,
        headers=headers_of(recorded, referenced=too_large),
    )
    return ack.seq


async def checkpoint(jetstream: JetStreamContext, stream: str = STREAM) -> tuple[int, int]:
    """(position of the last event in the stream, its sequence); (0, 0) for an empty stream.

    A stream that its limits have emptied begins again at the log's start: publishing is idempotent for readers.
    """
    state = (await jetstream.stream_info(stream)).state
    for sequence in range(state.last_seq, max(state.first_seq, 1) - 1, -1):
        message = await _message(jetstream, stream, sequence)
        if message is not None and message.headers and MESSAGE_ID in message.headers:
            return int(message.headers[MESSAGE_ID]), sequence
    return 0, 0


async def _message(jetstream: JetStreamContext, stream: str, sequence: int) -> RawStreamMsg | None:
    try:
        return await jetstream.get_msg(stream, seq=sequence)
    except NotFoundError:
        return None
