"""HTTPS to providers on the internet: public addresses only or the proxy that is set, and no redirects.

A name is resolved once, and the address that was judged is the one that is connected to; so a name that leads
elsewhere the second time gains nothing. A proxy resolves the name itself: then where a call ends is its matter.
"""

import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from libs.events import FailureKind
from libs.jira_client.http.addresses import is_public
from libs.runtime.network.http_calls import NetworkTrouble, answered, arguments, trouble_of
from libs.runtime.network.proxy import Proxy
from libs.runtime.network.way_out import WayOut
from services.notifier.message.types import Result, failed

ANSWER_LIMIT: Final = 65_536
"""Bytes of an answer that are read."""
CALL_SECONDS: Final = 20.0
"""A call that takes longer has failed, so that of several calls of one message the others are not lost with it."""

DIRECT: Final = WayOut(no_proxy="*")
"""Without a proxy, believing the system's authorities."""


class AddressRefusedError(OSError):
    """The host of a channel's address leads to one that is not public."""


class PublicResolver(AbstractResolver):
    """Gives public addresses only."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        public = [one for one in found if _is_public(one["host"])]
        if not public:
            raise AddressRefusedError(f"{host} leads to no public address")
        return public

    async def close(self) -> None:
        await self._inner.close()


def checked_address(name: str, text: str, *, allow_insecure: bool) -> str:
    """`text` when it may be an address of a provider.

    Raises:
        ValueError: it is none, not https, or names an address that is not public.
    """
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{name}: its value is no address; write https://…") from error
    if not host or parts.scheme not in ("https", "http") or any(ord(one) < 33 or ord(one) > 126 for one in text):
        raise ValueError(f"{name}: its value is no address; write https://…")
    if allow_insecure:
        return text
    if parts.scheme != "https":
        raise ValueError(f"{name}: its value does not begin with https://; secrets would travel in the clear")
    if _is_literal(host) and not _is_public(host):
        raise ValueError(f"{name}: {host} is not a public address; NOTIFY_ALLOW_INSECURE=1 allows it, for tests")
    return text


class Answer:
    """What a provider answered."""

    def __init__(self, status: int, body: str, retry_after: float | None) -> None:
        self.status, self.body, self.retry_after = status, body, retry_after


async def post(
    url: str, payload: Any, *, headers: dict[str, str] | None = None, allow_insecure: bool, way: WayOut = DIRECT
) -> Answer | Result:
    """POST JSON; a result when there is no answer. The caller sets the deadline."""
    host, proxy = urlsplit(url).hostname or "", way.proxy_to(url)
    if not allow_insecure and _is_literal(host) and not _is_public(host):
        return _refused(f"{host} is not a public address")
    given = arguments(way, url)
    given["headers"] = {**(headers or {}), **given.get("headers", {})}
    resolver = ThreadedResolver() if allow_insecure or proxy else PublicResolver()
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=4)
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            ) as session,
            session.post(url, json=payload, allow_redirects=False, **given) as response,
        ):
            if proxy is not None and response.status == 407:
                return _on_the_way(answered(407, f"{proxy.host}:{proxy.port}", host))
            body = await response.content.read(ANSWER_LIMIT)
            return Answer(response.status, body.decode("utf-8", "replace"), _seconds(response.headers))
    except TimeoutError:
        return failed(
            FailureKind.TRANSIENT,
            "NO_ANSWER",
            f"{_who(proxy)} did not answer in time; it may have taken the notice all the same.",
            "It is tried again. If this stays, check the network between the notifier and the provider.",
        )
    except (aiohttp.ClientError, OSError) as error:
        trouble = trouble_of(error, host, proxy)
        return _on_the_way(trouble) if trouble is not None else _unreached(error)


def _unreached(error: BaseException) -> Result:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressRefusedError):
        return _refused(str(cause))
    return failed(
        FailureKind.TRANSIENT,
        "UNREACHABLE",
        f"The provider cannot be reached: {str(error) or type(error).__name__}",
        "It is tried again. If this stays, check DNS, firewall and the address of the channel.",
    )


def _who(proxy: Proxy | None) -> str:
    return f"The provider, or the proxy {proxy.host}:{proxy.port} before it," if proxy else "The provider"


def _on_the_way(trouble: NetworkTrouble) -> Result:
    if trouble.lasting:
        return failed(FailureKind.CONFIG, trouble.code, f"{trouble.text}.", trouble.advice)
    return failed(FailureKind.TRANSIENT, trouble.code, f"{trouble.text}.", f"It is tried again. {trouble.advice}")


def _refused(why: str) -> Result:
    return failed(
        FailureKind.CONFIG, "ADDRESS_REFUSED", f"{why}.", "Use the provider's own address; private ones are refused."
    )


def _seconds(headers: Any) -> float | None:
    """The value of Retry-After where it is a number, as Slack sends it."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= 86_400 else None


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(host: str) -> bool:
    return is_public(ipaddress.ip_address(host.partition("%")[0]))
