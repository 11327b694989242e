"""A connection to NATS as relay and subscribers need it: least privilege, and an end when it is lost."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from nats.aio.client import DEFAULT_INBOX_PREFIX, Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError

_USER: Final = re.compile(r"[A-Za-z0-9_-]+")
_STORED: Final = b"$JS.ACK."
"""How the reply subject of a message of a stream begins."""
_FIRST_LINE: Final = b"NATS/1.0"
_HEADER: Final = re.compile(rb"(?!(?:Status|Description)\s*:)[!-9;-~]+:[ -~]*", re.IGNORECASE)


Heard = Callable[[bytes, bytes, bytes], None]
"""Gets the subject, the headers and the body of a message; must not raise."""


async def connected(nats_url: str, on_error: Callable[[Exception], Awaitable[None]]) -> "Connection":
    """Connect once. The connection ends when it is lost: whoever made it makes a new one and looks at NATS anew.

    Args:
        nats_url: `nats://host:4222`, or `nats://user:password@host:4222`.
        on_error: hears what the server refuses; to its caller a refused request looks like a plain time-out.

    Raises:
        nats.errors.Error, OSError: NATS does not answer, or does not know the user.
    """
    client = Connection()
    await client.connect(
        nats_url,
        error_cb=on_error,
        connect_timeout=2,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        inbox_prefix=inbox_prefix(nats_url),
    )
    return client


class Connection(Client):
    """A client that reads on, whatever headers somebody has put on a message of a stream.

    The library's ends its reading at headers it cannot read, and takes a header `Status` for a word of the server. Such
    a message would come again and again, and nothing after it.

    Where thousands of small messages come and go a second, it also takes them in and out without what the library does
    for each: `hear` and `send`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lost = asyncio.Event()
        """Set as soon as the connection ends, whoever ends it."""
        self._prefix = b" "
        """Of the subjects that are heard at once: none has a space."""
        self._heard: Heard = _nothing

    async def hear(self, prefix: str, heard: Heard) -> None:
        """Hand messages to subjects of this form over at once, in the task that reads them. One may be heard.

        Raises:
            nats.errors.Error: the connection has ended.
        """
        self._prefix, self._heard = prefix.encode(), heard
        await self.subscribe(f"{prefix}*", cb=_unheard)

    async def send(self, frames: Iterable[bytes]) -> None:
        """Write what is in the form of the protocol already, all of it at once.

        Raises:
            nats.errors.ConnectionClosedError: the connection has ended.
        """
        if self.is_closed:
            raise ConnectionClosedError
        await self._send_command(b"".join(frames))
        await self._flush_pending()

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        self.lost.set()
        await super()._close(status, do_cbs)

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        if subject.startswith(self._prefix):
            self._heard(subject, headers or b"", data)
            return
        if reply.startswith(_STORED):
            subject = subject.decode(errors="replace").encode()
            headers = readable_headers(headers) if headers else headers
        await super()._process_msg(sid, subject, reply, data, headers)


def _nothing(_subject: bytes, _headers: bytes, _body: bytes) -> None:
    """For who hears nothing."""


async def _unheard(_message: Msg) -> None:
    """What comes is heard before it gets here."""


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
