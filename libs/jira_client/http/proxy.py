"""The way out by a forward proxy: a tunnel for https, the whole address in the request line for http.

With a proxy it is the proxy that resolves the host of Jira and decides where a connection ends. What fails on the way
to it, and what it answers itself, is told from what Jira answers by errors of their own: a proxy's 407 is no word of
Jira's about our token.
"""

import asyncio
import base64
import socket
import ssl
from collections.abc import Iterable
from typing import Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import h11
import httpcore
import httpx

from libs.jira_client.failures.match_exception import causes

CONNECT_SECONDS: Final = 30.0
"""For a caller that names no time."""
_PIECE: Final = 65_536
_PORTS: Final = {"http": 80, "https": 443}
_LATER: Final = frozenset({408, 425, 429})


class ProxyError(Exception):
    """The proxy does not lead to Jira. The text names no secret."""


class ProxyUnknownError(ProxyError):
    """Its name cannot be resolved."""


class ProxyUnreachableError(ProxyError):
    """Nobody takes the connection."""


class ProxySilentError(ProxyError):
    """It answers nothing in time."""


class ProxyCutError(ProxyError):
    """It hangs up, or answers with something that is not HTTP."""


class ProxyUntrustedError(ProxyError):
    """It is spoken to over TLS, and its certificate is not believed."""


class ProxyLoginError(ProxyError):
    """It wants other credentials than it was given (407)."""


class ProxyRefusedError(ProxyError):
    """It does not let us through."""


class ProxyFailedError(ProxyError):
    """It cannot reach Jira, or not now."""


class Proxy(NamedTuple):
    """Where the proxy is, and the value of Proxy-Authorization."""

    host: str
    port: int
    tls: bool
    authorization: str
    secrets: tuple[str, ...]

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `http://user:password@proxy:3128`; user and password are quoted as in any address."""
        parts = urlsplit(url)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        given = parts.username is not None
        basic = f"Basic {base64.b64encode(login.encode()).decode('ascii')}" if given else ""
        secrets = (unquote(parts.password or ""), login) if given else ()
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        return cls(host, port, parts.scheme == "https", basic, secrets)

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [("Proxy-Authorization", self.authorization)] if self.authorization else []


class ToProxy(httpcore.AsyncNetworkBackend):
    """A network backend whose connections all end at the proxy."""

    def __init__(self, proxy: Proxy, tls: ssl.SSLContext, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self.proxy = proxy
        self._tls = tls
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the proxy looks after it
        port: int,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        place = self.proxy.place
        try:
            stream = await self._inner.connect_tcp(
                self.proxy.host, self.proxy.port, timeout, local_address, socket_options
            )
            return await stream.start_tls(self._tls, self.proxy.host, timeout) if self.proxy.tls else stream
        except httpcore.TimeoutException as error:
            raise ProxySilentError(f"{place} takes no connection in time") from error
        except httpcore.NetworkError as error:
            raise _unreached(place, error) from error

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class Tunnel(ToProxy):
    """A network backend whose connections lead through the proxy to where they are meant to."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            async with asyncio.timeout(timeout or CONNECT_SECONDS):
                await self._ask(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except (TimeoutError, httpcore.TimeoutException) as error:
            await stream.aclose()
            raise ProxySilentError(f"{self.proxy.place} answers nothing in time") from error
        except (httpcore.NetworkError, h11.RemoteProtocolError) as error:
            await stream.aclose()
            raise ProxyCutError(f"{self.proxy.place} hangs up or does not speak HTTP: {error}") from error
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def _ask(self, stream: httpcore.AsyncNetworkStream, target: str) -> None:
        """Ask for the tunnel. Raises ProxyError when there is none."""
        talk = h11.Connection(h11.CLIENT)
        headers = [("Host", target), ("User-Agent", "jira-data-integrator"), *self.proxy.headers]
        await stream.write(talk.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b"")
        await stream.write(talk.send(h11.EndOfMessage()) or b"")
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                # An end without an answer is a RemoteProtocolError of the next look.
                talk.receive_data(await stream.read(_PIECE))
            elif isinstance(event, h11.Response):
                break
        if not 200 <= event.status_code < 300:
            raise _refused(self.proxy, event, target)


class AbsoluteForm(httpx.AsyncBaseTransport):
    """Requests for http as a proxy wants them: with the whole address. For tests alone, as http itself is."""

    def __init__(self, inner: httpx.AsyncBaseTransport, proxy: Proxy) -> None:
        self._inner, self._proxy = inner, proxy

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "target": str(request.url).encode("ascii")}
        request.headers.update(self._proxy.headers)
        response = await self._inner.handle_async_request(request)
        if response.status_code == 407:
            await response.aclose()
            raise ProxyLoginError(_wanted(self._proxy, response.headers.get_list("proxy-authenticate")))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _unreached(place: str, error: BaseException) -> ProxyError:
    for link in causes(error):
        if isinstance(link, socket.gaierror):
            return ProxyUnknownError(f"{place}: {link.strerror}")
        if isinstance(link, ssl.SSLCertVerificationError):
            return ProxyUntrustedError(f"{place}: {link.verify_message}")
        if isinstance(link, ssl.SSLError) and not isinstance(link, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return ProxyUntrustedError(f"{place} does not speak TLS as it should: {link.reason}")
        if isinstance(link, ssl.SSLError | ConnectionResetError | BrokenPipeError):
            return ProxyCutError(f"{place} hangs up")
    return ProxyUnreachableError(f"{place}: {error}")


def _refused(proxy: Proxy, answer: h11.Response, target: str) -> ProxyError:
    status = answer.status_code
    reason = answer.reason.decode("ascii", "replace")[:80]
    said = f"{proxy.place} answers {status} {reason}".rstrip()
    if status == 407:
        return ProxyLoginError(
            _wanted(proxy, [value.decode("latin-1") for name, value in answer.headers if name == b"proxy-authenticate"])
        )
    failed = status >= 500 or status in _LATER
    return ProxyFailedError(f"{said} for {target}") if failed else ProxyRefusedError(f"{said} for {target}")


def _wanted(proxy: Proxy, schemes: Iterable[str]) -> str:
    """What it says of credentials: with or without ours, and which schemes it takes."""
    offered = ", ".join(dict.fromkeys(scheme.split(" ")[0][:20] for scheme in schemes if scheme.strip()))
    given = "refuses the credentials given" if proxy.authorization else "wants credentials"
    return f"{proxy.place} answers 407: it {given}{f'; it takes {offered}' if offered else ''}"
