"""A connection to NATS as relay and subscribers need it: least privilege, and an end when it is lost."""

import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import nats
from nats.aio.client import DEFAULT_INBOX_PREFIX, Client

_USER: Final = re.compile(r"[A-Za-z0-9_-]+")


async def connected(nats_url: str, on_error: Callable[[Exception], Awaitable[None]]) -> Client:
    """Connect once. The connection ends when it is lost: whoever made it makes a new one and looks at NATS anew.

    Args:
        nats_url: `nats://host:4222`, or `nats://user:password@host:4222`.
        on_error: hears what the server refuses; to its caller a refused request looks like a plain time-out.

    Raises:
        nats.errors.Error, OSError: NATS does not answer, or does not know the user.
    """
    return await nats.connect(
        nats_url,
        error_cb=on_error,
        connect_timeout=2,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        inbox_prefix=inbox_prefix(nats_url),
    )


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
