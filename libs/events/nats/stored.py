"""What a stream holds, read message by message as it lies there, whoever put it in.

The client library's own readers expect headers as clients write them, and fail on others. A stream takes any bytes.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple

from nats.aio.client import Client
from nats.js.errors import APIError

AT_ONCE: Final = 64
"""Messages that are asked for at the same time."""
SECONDS: Final = 5.0
"""For an answer."""
NOT_THERE: Final = 404


class Stored(NamedTuple):
    """A message of a stream."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    """As far as they can be read; of a name that comes twice, the first value."""
    body: bytes


async def forwards(client: Client, stream: str, first: int, last: int) -> AsyncIterator[list[Stored]]:
    """The messages of these sequences, oldest first, in batches; what has been removed is passed over.

    Raises:
        nats.errors.Error: NATS does not answer, or forbids the look.
    """
    while first <= last:
        until = min(first + AT_ONCE - 1, last)
        found = await _messages(client, stream, range(first, until + 1))
        if found:
            yield found
            first = until + 1
            continue
        following = await _message(client, stream, {"seq": until + 1, "next_by_subj": ">"})
        if following is None:
            return
        first = following.sequence


async def backwards(client: Client, stream: str, first: int, last: int) -> AsyncIterator[list[Stored]]:
    """The same, the newest first.

    Raises:
        nats.errors.Error: NATS does not answer, or forbids the look.
    """
    while first <= last:
        begin = max(last - AT_ONCE + 1, first)
        yield (await _messages(client, stream, range(begin, last + 1)))[::-1]
        last = begin - 1


async def _messages(client: Client, stream: str, sequences: range) -> list[Stored]:
    found = await asyncio.gather(*(_message(client, stream, {"seq": sequence}) for sequence in sequences))
    return [message for message in found if message is not None]


async def _message(client: Client, stream: str, asked: Mapping[str, Any]) -> Stored | None:
    request = json.dumps(asked).encode()
    answer = json.loads((await client.request(f"$JS.API.STREAM.MSG.GET.{stream}", request, timeout=SECONDS)).data)
    if error := answer.get("error"):
        if error.get("code") == NOT_THERE:
            return None
        raise APIError.from_error(error)
    found = answer["message"]
    return Stored(
        sequence=found["seq"],
        subject=found["subject"],
        headers=headers_in(base64.b64decode(found.get("hdrs") or "")),
        body=base64.b64decode(found.get("data") or ""),
    )


def headers_in(raw: bytes) -> dict[str, str]:
    """The headers of a message, from bytes that may be anything."""
    headers: dict[str, str] = {}
    for line in raw.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.decode(errors="replace").strip(), value.decode(errors="replace").strip())
    return headers
