"""A forward proxy on loopback: tunnels by CONNECT, whole addresses for http, and all that such proxies do wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import weakref
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

import trustme


class Asked(NamedTuple):
    """The head of a request to the proxy."""

    method: str
    target: str
    headers: dict[str, str]
    """With names in lower case."""


@dataclass
class ForwardProxy:
    """How it behaves, which a test may change at any time, and what it was asked."""

    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """What it resolves by itself: a name, or a name and a port, to where it connects."""
    login: tuple[str, str] | None = None
    status: int = 0
    """The answer to everything, in place of passing it on."""
    reason: str = "No"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of that answer."""
    garbage: bytes = b""
    cuts: bool = False
    cuts_after: int = 0
    """Bytes of the server that a tunnel passes on before it is cut; 0: all."""
    hangs: bool = False
    inspector: trustme.CA | None = None
    """It ends TLS itself, with certificates of this authority."""
    port: int = 0
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)
    _open: weakref.WeakSet[asyncio.StreamWriter] = field(default_factory=weakref.WeakSet)

    @property
    def url(self) -> str:
        login = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"{self.scheme}://{login}127.0.0.1:{self.port}"

    def change(self, **ways: object) -> None:
        """Behave otherwise from now on: what is connected is cut, so that all must ask anew."""
        for name, value in ways.items():
            setattr(self, name, value)
        for writer in self._open:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            self._open.add(writer)
            asked = _parsed(await reader.readuntil(b"\r\n\r\n"))
            self.asked.append(asked)
            await self._answered(asked, reader, writer)
        writer.close()

    async def _answered(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.hangs:
            await reader.read()
        elif self.garbage:
            writer.write(self.garbage)
            await writer.drain()
        elif self.status or not self._knows(asked):
            status, reason, headers = (self.status, self.reason, self.headers) if self.status else _LOGIN
            lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
            writer.write(("\r\n".join([*lines, "Content-Length: 9", "", ""]) + "<h1>proxy").encode())
            await writer.drain()
        elif not self.cuts:
            await (self._tunnel if asked.method == "CONNECT" else self._forward)(asked, reader, writer)

    def _knows(self, asked: Asked) -> bool:
        if self.login is None:
            return True
        wanted = base64.b64encode(":".join(self.login).encode()).decode()
        return asked.headers.get("proxy-authorization") == f"Basic {wanted}"

    def _place(self, host: str, port: int) -> tuple[str, int]:
        return self.hosts.get(f"{host}:{port}") or self.hosts.get(host) or (host, port)

    async def _tunnel(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(f"//{asked.target}")
        host, port = target.hostname or "", target.port or 443
        inner = ssl.create_default_context() if self.inspector else None
        if inner:
            inner.check_hostname, inner.verify_mode = False, ssl.CERT_NONE
        try:
            there = await asyncio.open_connection(*self._place(host, port), ssl=inner)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        if self.inspector:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.inspector.issue_cert(host).configure_cert(context)
            await writer.start_tls(context)
        await self._passed(reader, writer, *there)

    async def _forward(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        url = urlsplit(asked.target)
        try:
            there = await asyncio.open_connection(*self._place(url.hostname or "", url.port or 80))
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        kept = {name: value for name, value in asked.headers.items() if not name.startswith("proxy-")}
        lines = [f"{asked.method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in (kept | {"connection": "close"}).items())]
        there[1].write(("\r\n".join([*lines, "", ""])).encode())
        await self._passed(reader, writer, *there)

    async def _passed(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        to: asyncio.StreamWriter,
    ) -> None:
        pumps = [asyncio.create_task(_pump(reader, to)), asyncio.create_task(_pump(there, writer, self.cuts_after))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to.close()
            writer.close()


_LOGIN = (407, "Proxy Authentication Required", {"Proxy-Authenticate": 'Basic realm="corp"'})


def _parsed(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    return Asked(method, target, {name.lower(): value.strip() for name, _, value in pairs})


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int = 0) -> None:
    passed = 0
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            if most and passed + len(data) > most:
                sink.write(data[: most - passed])
                await sink.drain()
                return
            passed += len(data)
            sink.write(data)
            await sink.drain()


@asynccontextmanager
async def forward_proxy(tls: trustme.CA | None = None, **ways: object) -> AsyncIterator[ForwardProxy]:
    """A proxy that passes everything on; `ways` are fields of it. With `tls` it is spoken to over TLS."""
    proxy = ForwardProxy(**ways)  # type: ignore[arg-type]
    context = None
    if tls is not None:
        context, proxy.scheme = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "https"
        tls.issue_cert("127.0.0.1").configure_cert(context)
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        talks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await proxy.serve(reader, writer)
        talks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
