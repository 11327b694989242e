"""The way out: connections end at public addresses only, or at the proxy that is set.

Checking the name first and connecting later can be tricked by a name that resolves differently the second time. So the
peer of the finished connection is checked, before TLS starts and before a byte of ours is sent. A proxy resolves the
name itself: then where a connection ends is its matter, and its own address may well be private.
"""

import ipaddress
import ssl
from collections.abc import Iterable

import httpcore
import httpx

from libs.jira_client.http.addresses import is_public
from libs.jira_client.http.proxy import AbsoluteForm, Proxy, ToProxy, Tunnel


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


def pool(
    *,
    connections: int,
    public_only: bool,
    tls: ssl.SSLContext | None = None,
    proxy: Proxy | None = None,
    plain: bool = False,
) -> httpx.AsyncBaseTransport:
    """A pool of kept-alive connections that ignores proxies named in the environment.

    Args:
        connections: at most.
        public_only: refuse addresses that are not public. With a proxy it is the proxy that knows the address.
        tls: whom to believe; left out: the authorities that come with the HTTP client.
        proxy: that leads to Jira; it may be at a private address.
        plain: whether Jira is spoken to over http.
    """
    context = tls or httpx.create_ssl_context(trust_env=False)
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30)
    made = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)
    backend = _backend(context, proxy, public_only=public_only, plain=plain)
    if backend is not None:
        # httpx offers no argument for the backend; the pool takes it as a public argument of its own.
        made._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=backend,
        )
    return AbsoluteForm(made, proxy) if proxy is not None and plain else made


def _backend(
    context: ssl.SSLContext, proxy: Proxy | None, *, public_only: bool, plain: bool
) -> httpcore.AsyncNetworkBackend | None:
    if proxy is not None:
        return ToProxy(proxy, context) if plain else Tunnel(proxy, context)
    return PublicOnly() if public_only else None
