"""Does NATS take what is published? A check for `/readyz` that proves it, also while the log is quiet.

Two looks. What the log holds and the stream does not must not wait: a stream that could not be written once takes
nothing until its server is started again, while everything else there answers. And where nothing waits, a message is
written to a stream of our own, which keeps one: on a full disk this fails before an event does.
"""

import asyncio
import contextlib
import time
from typing import Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import NoStreamResponseError, NotFoundError

from libs.events.log.store import EventStore
from libs.events.nats.connection import connected, shown
from libs.events.reading.lag import waiting_seconds

STREAMS: Final = {"JDI_PROOF_A": "jdi.proof.a", "JDI_PROOF_B": "jdi.proof.b"}
"""Names and subjects: one is written, and replaced by the other when it could not be, for then it takes nothing more.

It is deleted only then: the room that it gives back would make a full disk look as if there were some.
"""
MESSAGE_BYTES: Final = 32 * 1024
"""More than is left in a page of the disk: a small message would fit where an event does not."""
STREAM_BYTES: Final = 256 * 1024
ANSWER_SECONDS: Final = 0.9
STUCK_SECONDS: Final = 3.0
"""Events that wait for longer, while none gets through, are not taken."""
FORBIDDEN: Final = "NATS does not let us prove that it takes messages: while nothing is published, /readyz cannot tell"
ALLOW: Final = f"let this user publish to jdi.proof.*, and make and delete the streams {' and '.join(STREAMS)}"

log = structlog.get_logger(__name__)


class FanOut:
    """The way from the log to NATS, of one process.

    Args:
        store: the log.
        nats_url: the server.
    """

    def __init__(self, store: EventStore, nats_url: str) -> None:
        self._store, self._nats_url = store, nats_url
        self._position: int | None = None
        self._moved_at = time.monotonic()
        self._ours, self._other = STREAMS
        self._spoilt = False
        """Whether our stream may be one that takes nothing any more."""
        self._forbidden = False

    def relayed(self, position: int | None) -> None:
        """Hear up to where the stream holds the log; None while another process relays."""
        if position != self._position:
            self._position, self._moved_at = position, time.monotonic()

    async def trouble(self) -> str | None:
        """Why NATS takes nothing now; None when it does."""
        return await self._stuck() or await self._refused()

    async def _stuck(self) -> str | None:
        if self._position is None or time.monotonic() - self._moved_at < STUCK_SECONDS:
            return None
        waiting = await asyncio.to_thread(waiting_seconds, self._store, self._position)
        return f"events wait for NATS since {waiting:.0f} s and none gets through" if waiting > STUCK_SECONDS else None

    async def _refused(self) -> str | None:
        """Publish, unless the server does not let us: then the first look must do."""
        if self._forbidden:
            return None
        forbidden = asyncio.Event()

        async def on_error(error: Exception) -> None:
            if "permissions violation" in str(error).lower():
                forbidden.set()

        try:
            client = await connected(self._nats_url, on_error)
            try:
                await self._publish(client)
            finally:
                await client.close()
        except (NatsError, OSError, TimeoutError) as error:
            self._spoilt, self._forbidden = True, forbidden.is_set()
            if self._forbidden:
                log.warning(FORBIDDEN, advice=ALLOW)
                return None
            return f"NATS at {shown(self._nats_url)} takes nothing: {str(error) or type(error).__name__}"
        return None

    async def _publish(self, client: Client) -> None:
        jetstream = client.jetstream(timeout=ANSWER_SECONDS)
        if self._spoilt:
            await _delete(jetstream, self._other)
            await _written(jetstream, self._other)
            await _delete(jetstream, self._ours)
            self._ours, self._other, self._spoilt = self._other, self._ours, False
        else:
            await _written(jetstream, self._ours)


async def _written(jetstream: JetStreamContext, stream: str) -> None:
    for absent in (True, False):
        try:
            await jetstream.publish(STREAMS[stream], bytes(MESSAGE_BYTES), timeout=ANSWER_SECONDS)
        except NoStreamResponseError:
            if not absent:
                raise
            await _make(jetstream, stream)
        else:
            return


async def _delete(jetstream: JetStreamContext, stream: str) -> None:
    with contextlib.suppress(NotFoundError):
        await jetstream.delete_stream(stream)


async def _make(jetstream: JetStreamContext, stream: str) -> None:
    await jetstream.add_stream(
        StreamConfig(
            name=stream,
            subjects=[STREAMS[stream]],
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_msgs=1,
            max_bytes=STREAM_BYTES,
        )
    )
