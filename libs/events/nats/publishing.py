"""Publish many messages at once, and hear of each what became of it.

One subscription takes all answers. A request of the client library's own for each message, with a future, a timer and a
task, costs more than all the rest of publishing it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import NoStreamResponseError

ANSWER_SECONDS: Final = 5.0
"""The longest that NATS may take until the next answer."""
NO_RESPONDERS: Final = "503"


class Message(NamedTuple):
    subject: str
    body: bytes
    headers: dict[str, Any]


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


class Publisher:
    """Publishes on one connection, one batch after another."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = ""
        self._sent = 0
        """Messages of earlier batches: their answers may come late, and count no more."""
        self._answers: list[Answer | None] = []
        self._open = 0
        self._heard = asyncio.Event()
        self._failed: Exception | None = None

    async def publish(self, messages: Sequence[Message]) -> list[Answer]:
        """Publish a batch in this order; the answers, in the same.

        Raises:
            nats.errors.Error, OSError: NATS does not answer, or there is no stream.
        """
        if not self._inbox:
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)
        self._sent += len(self._answers)
        self._answers, self._open, self._failed = [None] * len(messages), len(messages), None
        for number, message in enumerate(messages, self._sent):
            await self._client.publish(message.subject, message.body, f"{self._inbox}.{number}", message.headers)
        while self._open:
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), ANSWER_SECONDS)
            except TimeoutError as error:
                raise NatsTimeoutError from error
            if self._failed is not None:
                raise self._failed
        return [answer for answer in self._answers if answer is not None]

    async def _answered(self, message: Msg) -> None:
        place = int(message.subject.rpartition(".")[2]) - self._sent
        if not 0 <= place < len(self._answers) or self._answers[place] is not None:
            return
        if (message.headers or {}).get("Status") == NO_RESPONDERS:
            self._failed = NoStreamResponseError()
        else:
            self._answers[place] = _decode(message.data)
            self._open -= 1
        self._heard.set()
