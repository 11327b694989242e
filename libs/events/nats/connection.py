"""A connection to NATS as relay and subscribers need it: least privilege, and an end when it is lost."""

import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from nats.aio.client import DEFAULT_INBOX_PREFIX, Client

_USER: Final = re.compile(r"[A-Za-z0-9_-]+")
_STORED: Final = b"$JS.ACK."
"""How the reply subject of a message of a stream begins."""
_FIRST_LINE: Final = b"NATS/1.0"
_HEADER: Final = re.compile(rb"(?!(?:Status|Description)\s*:)[!-9;-~]+:[ -~]*", re.IGNORECASE)


async def connected(nats_url: str, on_error: Callable[[Exception], Awaitable[None]]) -> Client:
    """Connect once. The connection ends when it is lost: whoever made it makes a new one and looks at NATS anew.

    Args:
        nats_url: `nats://host:4222`, or `nats://user:password@host:4222`.
        on_error: hears what the server refuses; to its caller a refused request looks like a plain time-out.

    Raises:
        nats.errors.Error, OSError: NATS does not answer, or does not know the user.
    """
    client = _Unshaken()
    await client.connect(
        nats_url,
        error_cb=on_error,
        connect_timeout=2,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        inbox_prefix=inbox_prefix(nats_url),
    )
    return client


class _Unshaken(Client):
    """A client that reads on, whatever headers somebody has put on a message of a stream.

    The library's ends its reading at headers it cannot read, and takes a header `Status` for a word of the server. Such
    a message would come again and again, and nothing after it.
    """

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        if reply.startswith(_STORED):
            subject = subject.decode(errors="replace").encode()
            headers = readable_headers(headers) if headers else headers
        await super()._process_msg(sid, subject, reply, data, headers)


def readable_headers(raw: bytes) -> bytes:
    """The headers of a message of a stream without those that are not as clients write them, or that mean a status."""
    first, *lines = raw.split(b"\r\n")
    kept = [line for line in lines if _HEADER.fullmatch(line)]
    if first != _FIRST_LINE or not kept:
        return b""
    return b"\r\n".join((first, *kept, b"", b""))


def inbox_prefix(nats_url: str) -> str:
    """Where answers go: `_INBOX_<user>` for a user with a password, so that a server can keep users' answers apart.

    Without a password the name may be a token, which belongs in no subject.
    """
    parts = urlsplit(nats_url)
    user = parts.username or ""
    if parts.password and _USER.fullmatch(user):
        return f"_INBOX_{user}"
    return DEFAULT_INBOX_PREFIX.decode()


def shown(nats_url: str) -> str:
    """The address without user, password and token, for people to read."""
    parts = urlsplit(nats_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
