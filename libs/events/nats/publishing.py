"""Publish many messages at once, and hear of each what became of it.

What costs is not the server but a call of the client library for each message: its headers checked and joined one by
one, a write, a future, a task. Here a batch is one write, and one subscription takes the answers to all.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from nats.errors import BadSubjectError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import NoStreamResponseError

from libs.events.nats.connection import Connection

ANSWER_SECONDS: Final = 5.0
"""The longest that NATS may take until the next answer."""
NO_RESPONDERS: Final = b"NATS/1.0 503"


class Message(NamedTuple):
    subject: str
    body: bytes
    headers: Mapping[str, str]
    """Of printable ASCII, without a line break."""


class Error(msgspec.Struct, frozen=True):
    """Why a message was not taken."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What NATS says of a message that was published to a stream."""

    seq: int = 0
    """Its place in the stream; of a duplicate, that of the first."""
    duplicate: bool = False
    error: Error | None = None


_decode: Final = msgspec.json.Decoder(Answer).decode


class _Flight:
    """A batch on its way: the answers so far, by place in the batch."""

    def __init__(self, first: int, length: int) -> None:
        self.first, self.open = first, length
        self.answers: list[Answer | None] = [None] * length
        self.landed = asyncio.Event()
        """Set when nothing more is to be waited for."""
        self.failure: Exception | None = None

    def fail(self, why: Exception) -> None:
        self.failure = why
        self.landed.set()

    def take(self, place: int, answer: Answer) -> None:
        if self.answers[place] is None:
            self.answers[place] = answer
            self.open -= 1
            if not self.open:
                self.landed.set()


class Publisher:
    """Publishes on one connection; several batches may be on their way, and arrive in the order of the calls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox = connection.new_inbox()
        self._clock = asyncio.get_running_loop().time
        self._sent = 0
        """Messages so far: the number of each is the end of the subject of its answer."""
        self._flights: deque[_Flight] = deque()
        """Those on their way. Answers to others may come late, and count no more."""
        self._heard_at = self._clock()

    async def open(self) -> None:
        """To be called once, before the first batch."""
        await self._connection.hear(f"{self._inbox}.", self._answered)

    async def publish(self, messages: Sequence[Message]) -> list[Answer]:
        """Publish a batch in this order; the answers, in the same.

        Raises:
            nats.errors.Error, OSError: NATS does not answer, or there is no stream.
        """
        flight = _Flight(self._sent, len(messages))
        frames = [frame(message, f"{self._inbox}.{number}") for number, message in enumerate(messages, self._sent)]
        self._sent += len(messages)
        self._flights.append(flight)
        try:
            await self._connection.send(frames)
            await self._landing(flight)
        finally:
            self._flights.remove(flight)
        if flight.failure is not None:
            raise flight.failure
        return [answer for answer in flight.answers if answer is not None]

    async def _landing(self, flight: _Flight) -> None:
        """Wait for the answers, as long as any come: those of batches before are answered first."""
        if self._flights[0] is flight:
            self._heard_at = self._clock()
        while not flight.landed.is_set():
            left = self._heard_at + ANSWER_SECONDS - self._clock()
            if left <= 0:
                raise NatsTimeoutError
            try:
                await asyncio.wait_for(flight.landed.wait(), left)
            except TimeoutError:
                continue

    def _answered(self, subject: bytes, headers: bytes, body: bytes) -> None:
        number = int(subject.rpartition(b".")[2])
        for flight in self._flights:
            if 0 <= (place := number - flight.first) < len(flight.answers):
                break
        else:
            return
        self._heard_at = self._clock()
        if headers.startswith(NO_RESPONDERS):
            flight.fail(NoStreamResponseError())
            return
        try:
            flight.take(place, _decode(body))
        except msgspec.DecodeError:
            flight.fail(NatsError(f"nats: an answer that says nothing: {body[:100]!r}"))


def frame(message: Message, reply: str) -> bytes:
    """A message as it goes over the wire.

    Raises:
        nats.errors.BadSubjectError: its subject is none.
    """
    if not message.subject.isprintable() or " " in message.subject:
        raise BadSubjectError
    lines = "".join([f"{name}: {value}\r\n" for name, value in message.headers.items()])
    headers = f"NATS/1.0\r\n{lines}\r\n".encode()
    size = len(headers)
    command = f"HPUB {message.subject} {reply} {size} {size + len(message.body)}\r\n".encode()
    return b"".join((command, headers, message.body, b"\r\n"))
