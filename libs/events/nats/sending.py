"""Events on their way into the stream: each message names the one it must follow, so what arrives lies in its place.

Several batches may be on their way. Where the stream refuses one of their messages, it refuses what follows, too.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from nats.js.errors import APIError
from opentelemetry.trace import SpanKind

from libs.events.log.batches import Recorded
from libs.events.nats.belonging import EXPECTED_SEQUENCE, SEAL, Seals
from libs.events.nats.cloudevents import MESSAGE_ID, TRACE, encoded, headers_of, subject_of
from libs.events.nats.connection import Connection
from libs.events.nats.publishing import Answer, Message, Publisher
from libs.events.tracing import continued

BATCH: Final = 500
"""Events that are best sent in one piece."""
ON_THEIR_WAY: Final = 5
"""Batches that are sent before the answers to the first have come."""
BYTES_ON_THEIR_WAY: Final = 8 * 1024 * 1024
"""Beyond these no further batch is sent before answers have come."""
HEADER_ROOM: Final = 2048
"""Bytes of a message's payload limit that its headers may take."""
EXPECTED_ID: Final = "Nats-Expected-Last-Msg-Id"
OUT_OF_PLACE: Final = (10070, 10071)
"""NATS' error codes for a message whose expected last message, or last sequence, is not the stream's."""


class Landed(NamedTuple):
    """What became of a batch."""

    batch: Sequence[Recorded]
    arrived: int
    """So many of its events are in their place, from the first on."""
    taken: frozenset[int]
    """Positions of those whose message ids somebody has used before."""
    refusal: str
    """Of the first that is not in its place, in the server's words; empty where all are."""

    @property
    def whole(self) -> bool:
        return self.arrived == len(self.batch)


class _Flight(NamedTuple):
    """A batch on its way."""

    batch: Sequence[Recorded]
    size: int
    """Bytes."""
    landing: asyncio.Task[Landed]


class Sender:
    """Sends batches into a stream, on one connection."""

    def __init__(self, client: Connection, stream: str, seals: Seals) -> None:
        self._client, self._seals = client, seals
        self._publisher = Publisher(client)
        self._span = f"send {stream}"
        self._about = {
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.destination.name": stream,
        }
        self._flights: deque[_Flight] = deque()
        self.taken = set[int]()
        """Positions whose message ids somebody else has used: they are published without one."""

    async def open(self) -> None:
        """To be called once, before the first batch."""
        await self._publisher.open()

    @property
    def on_their_way(self) -> int:
        """Batches that have not landed."""
        return len(self._flights)

    @property
    def is_full(self) -> bool:
        """Whether the first should land before another is sent."""
        return len(self._flights) >= ON_THEIR_WAY or sum(flight.size for flight in self._flights) > BYTES_ON_THEIR_WAY

    def send(self, batch: Sequence[Recorded], end: int) -> None:
        """Send a batch behind all that is on its way. It goes out when the event loop comes to it.

        Args:
            batch: events.
            end: the stream's last sequence, as far as it is known: before all that is on its way.
        """
        last = self._flights[-1].batch[-1] if self._flights else None
        behind = end + sum(len(flight.batch) for flight in self._flights)
        landing = asyncio.create_task(self._landing(batch, behind, last), name=self._span)
        self._flights.append(_Flight(batch, sum(len(recorded.raw) for recorded in batch), landing))

    async def land(self) -> Landed:
        """Wait for the answers to the first batch on its way.

        Raises:
            nats.errors.Error, OSError: NATS does not take events.
        """
        landed = await self._flights.popleft().landing
        self.taken |= landed.taken
        return landed

    async def settle(self) -> None:
        """Wait for the answers to all that is on its way, whatever they say: then the stream holds what it will hold.

        Raises:
            nats.errors.Error, OSError: NATS does not take events.
        """
        while self._flights:
            await self.land()

    async def drop(self) -> None:
        """Wait for nothing that is on its way any more."""
        landings = [flight.landing for flight in self._flights]
        self._flights.clear()
        for landing in landings:
            landing.cancel()
        await asyncio.gather(*landings, return_exceptions=True)

    async def _landing(self, batch: Sequence[Recorded], behind: int, last: Recorded | None) -> Landed:
        """Publish a batch behind a sequence of the stream, which is that of the event `last` if one is on its way."""
        with continued(batch, self._span, SpanKind.PRODUCER, self._about) as traces:
            answers = await self._publisher.publish(self._messages(batch, behind, last, traces))
        return landed_by(batch, behind, answers)

    def _messages(
        self, batch: Sequence[Recorded], behind: int, last: Recorded | None, traces: Mapping[str, str]
    ) -> list[Message]:
        messages, largest = [], self._client.max_payload - HEADER_ROOM
        for sequence, recorded in enumerate(batch, behind):
            too_large = len(recorded.raw) > largest
            headers = headers_of(recorded, referenced=too_large)
            headers[SEAL] = self._seals.of(sequence + 1, headers)
            headers[EXPECTED_SEQUENCE] = str(sequence)
            if last is not None and last.position not in self.taken:
                headers[EXPECTED_ID] = str(last.position)
            if recorded.position in self.taken:
                del headers[MESSAGE_ID]
            if traces and (trace := traces.get(recorded.event.trace or "")) is not None:
                headers[TRACE] = encoded(trace)
            messages.append(Message(subject_of(recorded), b"" if too_large else recorded.raw, headers))
            last = recorded
        return messages


def landed_by(batch: Sequence[Recorded], behind: int, answers: Sequence[Answer]) -> Landed:
    """What the answers say of a batch that was published behind a sequence of the stream.

    Raises:
        APIError: NATS does not take events.
    """
    arrived, taken, refusal = 0, set[int](), ""
    for recorded, answer in zip(batch, answers, strict=True):
        if answer.error is not None and answer.error.err_code not in OUT_OF_PLACE:
            raise APIError.from_error(msgspec.structs.asdict(answer.error))
        if answer.duplicate:
            taken.add(recorded.position)
        # Of what others have put under our id, the server says that it is there already.
        there = answer.error is None and not answer.duplicate and answer.seq == behind + arrived + 1
        if there and not refusal:
            arrived += 1
        else:
            refusal = refusal or f"event {recorded.position}: {answer}"
    return Landed(batch, arrived, frozenset(taken), refusal)
