"""The way out: connections end at public addresses only.

Checking the name first and connecting later can be tricked by a name that resolves differently the second time. So the
peer of the finished connection is checked, before TLS starts and before a byte of ours is sent.
"""

import ipaddress
from collections.abc import Iterable

import httpcore
import httpx

from libs.jira_client.http.addresses import is_public


class AddressRefusedError(Exception):
    """The host of JIRA_BASE_URL leads to an address that is not public."""


class PublicOnly(httpcore.AsyncNetworkBackend):
    """A network backend that hangs up when the other end is not a public address."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        peer = str(stream.get_extra_info("server_addr")[0])
        if not is_public(ipaddress.ip_address(peer.partition("%")[0])):
            await stream.aclose()
            raise AddressRefusedError(f"{host} leads to {peer}, which is not a public address.")
        return stream

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def pool(*, connections: int, public_only: bool) -> httpx.AsyncHTTPTransport:
    """A pool of kept-alive connections that ignores proxies and certificates named in the environment."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30)
    made = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
    if public_only:
        # httpx offers no argument for the backend; the pool takes it as a public argument of its own.
        made._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=PublicOnly(),
        )
    return made
