"""Read events from NATS in another module: durable, acknowledged, with a way out for what cannot be handled.

Delivery is at least once. The position of an event never changes, so a handler that stores it with its effect has
each effect once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import msgspec
import nats
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from libs.events.cloudevents import recorded_of
from libs.events.envelope import Event
from libs.events.relay import STREAM, Stopping

log = structlog.get_logger(__name__)

ACK_WAIT_SECONDS: Final = 30
FETCH: Final = 50
FETCH_SECONDS: Final = 1.0

DeadLetter = Callable[[str, bytes, str], Awaitable[None]]
"""Called with subject, body and reason before a message is given up; what it raises keeps the message."""


class Delivery:
    """One event, delivered. Acknowledge it after its effect is stored."""

    def __init__(self, message: Msg, position: int, event: Event, on_dead_letter: DeadLetter | None) -> None:
        self._message = message
        self._on_dead_letter = on_dead_letter
        self.position = position
        self.event = event
        self.subject = message.subject

    @property
    def attempt(self) -> int:
        """1 for the first delivery."""
        return self._message.metadata.num_delivered or 1

    async def ack(self) -> None:
        """Done: not delivered again."""
        await self._message.ack()

    async def retry(self, delay: float) -> None:
        """Not now: deliver again after `delay` seconds."""
        await self._message.nak(delay=delay)

    async def dead_letter(self, reason: str) -> None:
        """Never: hand it to the dead-letter callback and take it off the stream's work."""
        await _give_up(self._message, reason, self._on_dead_letter)


async def subscribe(
    nats_url: str,
    *,
    durable: str,
    subjects: Sequence[str] = ("jira.>",),
    stop: Stopping | None = None,
    max_deliver: int = 8,
    on_dead_letter: DeadLetter | None = None,
    on_health: Callable[[str | None], None] = lambda _: None,
    stream: str = STREAM,
) -> AsyncIterator[Delivery]:
    """Yield events of `subjects` from where the durable consumer stands; for ever, or until `stop`.

    NATS may come and go: the loop reconnects, makes the consumer anew where a wiped server lost it, and goes on.
    A message that cannot be decoded goes to `on_dead_letter` and is not delivered again.
    """
    while stop is None or not stop.is_set():
        try:
            async with _consumer(nats_url, durable, subjects, max_deliver, stream) as subscription:
                on_health(None)
                while stop is None or not stop.is_set():
                    for message in await _fetch(subscription):
                        delivery = await _delivery(message, on_dead_letter)
                        if delivery is not None:
                            yield delivery
        except (NatsError, OSError, TimeoutError) as error:
            why = f"NATS at {nats_url} does not deliver: {str(error) or type(error).__name__}"
            on_health(why)
            log.warning("subscriber waits for NATS", durable=durable, why=why)
            await asyncio.sleep(1.0)


@contextlib.asynccontextmanager
async def _consumer(
    nats_url: str, durable: str, subjects: Sequence[str], max_deliver: int, stream: str
) -> AsyncIterator[JetStreamContext.PullSubscription]:
    async def on_error(error: Exception) -> None:
        log.warning("NATS reports", durable=durable, error=str(error))

    client = await nats.connect(nats_url, error_cb=on_error, connect_timeout=2, allow_reconnect=False)
    try:
        jetstream = client.jetstream(timeout=5)
        config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=list(subjects),
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=max_deliver,
            max_ack_pending=2000,
        )
        try:
            await jetstream.add_consumer(stream, config)
        except NotFoundError as error:
            raise ConnectionError(f"stream {stream} does not exist yet; the ingestor's relay makes it") from error
        yield await jetstream.pull_subscribe_bind(durable, stream)
    finally:
        with contextlib.suppress(Exception):
            await client.close()


async def _fetch(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    try:
        return await subscription.fetch(FETCH, timeout=FETCH_SECONDS)
    except TimeoutError:
        # Nothing came: an empty fetch is how a quiet stream answers. A lost connection shows here too.
        await subscription.consumer_info()
        return []


async def _delivery(message: Msg, on_dead_letter: DeadLetter | None) -> Delivery | None:
    try:
        recorded = recorded_of(dict(message.headers or {}), message.data)
    except (ValueError, LookupError, msgspec.DecodeError) as error:
        await _give_up(message, str(error), on_dead_letter)
        return None
    return Delivery(message, recorded.position, recorded.event, on_dead_letter)


async def _give_up(message: Msg, reason: str, on_dead_letter: DeadLetter | None) -> None:
    log.error("message given up", subject=message.subject, reason=reason)
    if on_dead_letter is not None:
        await on_dead_letter(message.subject, message.data, reason)
    await message.term()
