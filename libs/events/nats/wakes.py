"""Be woken when there may be something to do: NATS says so, a timer, or the program itself.

A wake-up carries no news: the sleeper reads the log. So what NATS delivers twice, late, in another order or not at all
is harmless; without NATS the timer alone wakes.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, Final

from libs.events.nats.relay import STREAM
from libs.events.nats.subscribe import Delivery, subscribe
from libs.events.stop import Awaited

SWEEP_SECONDS: Final = 60.0


async def wakes(
    nats_url: str,
    *,
    durable: str,
    subjects: Sequence[str],
    stop: Awaited,
    longest: Callable[[], float] = lambda: SWEEP_SECONDS,
    bell: asyncio.Event | None = None,
    on_health: Callable[[str | None], None] = lambda _: None,
    stream: str = STREAM,
) -> AsyncGenerator[int]:
    """Yield once at the start, then whenever there may be something to do; how many deliveries led to it.

    Close it with `contextlib.aclosing`. What NATS delivered is acknowledged when the loop's body has run: one that
    raises is woken again.

    Args:
        nats_url: the server.
        durable: name of the consumer, which remembers what has been acknowledged.
        subjects: of the events that wake.
        stop: ends it, within moments.
        longest: asked before each wait for the seconds after which to wake anyway.
        bell: set by the program itself when there is something to do.
        on_health: hears why NATS does not deliver, and None when it does again.
        stream: that holds the subjects.
    """
    bell = bell or asyncio.Event()
    came: list[Delivery] = []

    async def listen() -> None:
        deliveries = subscribe(
            nats_url, durable=durable, subjects=subjects, stop=stop, on_health=on_health, stream=stream
        )
        async with contextlib.aclosing(deliveries):
            async for delivery in deliveries:
                came.append(delivery)
                bell.set()

    async with _background(listen(), "listen to NATS") as listening, _background(stop.wait(), "stop") as stopped:
        while not stop.is_set():
            bell.clear()
            heard = came.copy()
            came.clear()
            yield len(heard)
            for delivery in heard:
                await delivery.ack()
            async with _background(bell.wait(), "bell") as rung:
                await asyncio.wait((rung, stopped, listening), timeout=longest(), return_when="FIRST_COMPLETED")
            if listening.done() and not stop.is_set():
                listening.result()


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, object], name: str) -> AsyncGenerator[asyncio.Task[object]]:
    """A task that does not outlive the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))
