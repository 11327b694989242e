"""Read events from NATS in another module: durable, acknowledged, with a way out for what cannot be handled.

Delivery is at least once, and a NATS server that lost its data brings everything again. The position of an event never
changes, so a handler that stores it with its effect has each effect once.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError, ServerError

from libs.events.log.batches import Recorded
from libs.events.nats.belonging import printable
from libs.events.nats.cloudevents import TRACE, recorded_of
from libs.events.nats.connection import connected, shown
from libs.events.nats.relay import STREAM
from libs.events.stop import Stopping
from libs.events.types.event import Event

log = structlog.get_logger(__name__)

ACK_WAIT_SECONDS: Final = 30
"""NATS delivers again what it has heard nothing of for so long."""
HEARTBEAT_SECONDS: Final = 10.0
FETCH: Final = 50
FETCH_SECONDS: Final = 10.0
"""For so long NATS is asked to wait for an event before it is asked again."""
LOOK_SECONDS: Final = 1.0
"""Between two looks at `stop` and at the connection while nothing comes."""
RETRY_SECONDS: Final = 1.0
DEAD_LETTER_RETRY_SECONDS: Final = 10.0
MAX_ACK_PENDING: Final = 2000

BROKEN: Final = 10012
"""NATS' code for a consumer that it knows and cannot use, as after damage to its files. Only a new one is of use."""

DeadLetter = Callable[[str, bytes, str], Awaitable[None]]
"""Called with subject, body and reason before a message is given up. When it raises, the message comes again."""


class Delivery:
    """One event, delivered. Acknowledge it after its effect is stored.

    An answer that does not reach NATS is no error: the event comes again.
    """

    def __init__(self, message: Msg, recorded: Recorded, on_dead_letter: DeadLetter | None) -> None:
        self._message = message
        self._on_dead_letter = on_dead_letter
        self.position = recorded.position
        self.event: Event = recorded.event
        self.subject = message.subject
        self.trace = (message.headers or {}).get(TRACE) or recorded.event.trace
        """W3C traceparent that the work on it may continue; None where nothing is traced."""

    @property
    def attempt(self) -> int:
        """1 for the first delivery."""
        return _attempt(self._message)

    async def ack(self) -> None:
        """Done: not delivered again."""
        await _answer(self._message.ack())

    async def retry(self, delay: float) -> None:
        """Not now: deliver again after `delay` seconds; a dead letter once `max_deliver` deliveries are used up."""
        await _answer(self._message.nak(delay=delay))

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
) -> AsyncGenerator[Delivery]:
    """Yield events of `subjects` from where the durable consumer stands; for ever, or until `stop`.

    NATS may come and go: the loop reconnects, makes the consumer anew where a wiped server lost it, or one with damaged
    files cannot use it, and goes on.
    What cannot be decoded, and what was delivered `max_deliver` times in vain, goes to `on_dead_letter` and is not
    delivered again. A handler may take its time: NATS is told that its event is still being worked on.
    """
    stop = stop or asyncio.Event()
    while not stop.is_set():
        try:
            async with _consumer(nats_url, durable, subjects, stream) as (client, subscription):
                on_health(None)
                while not stop.is_set():
                    async with _in_progress(await _fetch(subscription, client, stop)) as waiting:
                        while waiting and not stop.is_set():
                            delivery = await _delivery(waiting.popleft(), max_deliver, on_dead_letter)
                            if delivery is not None:
                                yield delivery
        except (NatsError, OSError) as error:
            why = f"NATS at {shown(nats_url)} does not deliver: {str(error) or type(error).__name__}"
            on_health(why)
            log.warning("subscriber waits for NATS", durable=durable, why=why)
            await asyncio.sleep(RETRY_SECONDS)


@contextlib.asynccontextmanager
async def _consumer(
    nats_url: str, durable: str, subjects: Sequence[str], stream: str
) -> AsyncIterator[tuple[Client, JetStreamContext.PullSubscription]]:
    async def on_error(error: Exception) -> None:
        log.warning("NATS reports", durable=durable, error=str(error))

    # A lost connection ends here and is made anew with its consumer: a server may come back without either.
    client = await connected(nats_url, on_error)
    try:
        jetstream = client.jetstream(timeout=5)
        config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=list(subjects),
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=ACK_WAIT_SECONDS,
            # NATS stops silently at its own limit. Ours is checked on delivery, so that the last one is a dead letter.
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
        )
        try:
            await jetstream.add_consumer(stream, config)
        except NotFoundError as error:
            raise ConnectionError(f"stream {stream} does not exist yet; the ingestor's relay makes it") from error
        except ServerError as error:
            if error.err_code == BROKEN:
                with contextlib.suppress(NatsError):  # a user who may not: whoever runs NATS starts it again
                    await jetstream.delete_consumer(stream, durable)
            raise
        yield client, await jetstream.pull_subscribe_bind(durable, stream)
    finally:
        with contextlib.suppress(Exception):
            await client.close()


async def _fetch(subscription: JetStreamContext.PullSubscription, client: Client, stop: Stopping) -> list[Msg]:
    """What comes next; nothing when it is quiet for long, or told to stop.

    Raises:
        NatsError: the connection is lost, or NATS does not know the consumer any more.
    """
    fetching = asyncio.create_task(subscription.fetch(FETCH, timeout=FETCH_SECONDS), name="fetch from NATS")
    try:
        while not fetching.done() and not stop.is_set() and not client.is_closed:
            await asyncio.wait((fetching,), timeout=LOOK_SECONDS)
        if fetching.done():
            return fetching.result()
    except TimeoutError:
        pass
    finally:
        fetching.cancel()
        await asyncio.wait((fetching,))
        with contextlib.suppress(asyncio.CancelledError):
            fetching.exception()  # one that is called off fails where the connection is closed already; nobody cares
    if not stop.is_set():
        # Nothing came: an empty fetch is how a quiet stream answers. A lost connection shows here too.
        await subscription.consumer_info()
    return []


@contextlib.asynccontextmanager
async def _in_progress(messages: Sequence[Msg]) -> AsyncIterator[deque[Msg]]:
    """Keep NATS from delivering these to somebody else while they are worked on; hand back what was not begun."""
    waiting = deque(messages)
    heartbeat = asyncio.create_task(_heartbeat(messages), name="heartbeat to NATS")
    try:
        yield waiting
    finally:
        heartbeat.cancel()
        with contextlib.suppress(NatsError):
            for message in waiting:
                await message.nak()


async def _heartbeat(messages: Sequence[Msg]) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        for message in messages:
            if not message.is_acked:
                await _answer(message.in_progress())


async def _delivery(message: Msg, max_deliver: int, on_dead_letter: DeadLetter | None) -> Delivery | None:
    try:
        recorded = recorded_of(message.headers or {}, message.data)
    except (ValueError, LookupError) as error:
        await _give_up(message, str(error), on_dead_letter)
        return None
    if _attempt(message) > max_deliver:
        await _give_up(message, f"delivered {max_deliver} times without success", on_dead_letter)
        return None
    return Delivery(message, recorded, on_dead_letter)


def _attempt(message: Msg) -> int:
    return message.metadata.num_delivered or 1


async def _give_up(message: Msg, reason: str, on_dead_letter: DeadLetter | None) -> None:
    log.error("message given up", subject=printable(message.subject), reason=printable(reason, 300))
    if on_dead_letter is not None:
        try:
            await on_dead_letter(message.subject, message.data, reason)
        except Exception:
            log.exception(
                "the dead letter could not be kept; the message comes again", subject=printable(message.subject)
            )
            await _answer(message.nak(delay=DEAD_LETTER_RETRY_SECONDS))
            return
    await _answer(message.term())


async def _answer(answer: Awaitable[None]) -> None:
    """Send an acknowledgement; one that is lost means that the message comes again."""
    try:
        await answer
    except NatsError as error:
        log.warning("an acknowledgement did not reach NATS; the event comes again", why=str(error))
