"""A front with TLS before a server that speaks none: it asks for a client certificate, or for a key as a cloud does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

NAME: Final = "temporal.example"
"""In the front's certificate, beside its address."""
UNAUTHENTICATED: Final = "16"


@asynccontextmanager
async def tls_front(
    target: int,
    authority: trustme.CA,
    *,
    names: tuple[str, ...] = (NAME, "127.0.0.1"),
    certificate: trustme.LeafCert | None = None,
    clients: trustme.CA | None = None,
    api_key: str | None = None,
) -> AsyncIterator[int]:
    """The port of the front. With `clients` it lets in whom that authority knows, with `api_key` who shows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or authority.issue_cert(*names)).configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            first = await _admitted(reader, writer, api_key) if api_key else b""
            if first is not None:
                await _passed(reader, writer, target, first)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _admitted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, api_key: str) -> bytes | None:
    """What the client has sent so far, when its first call shows the key; else it is told and None comes back."""
    seen, taken = H2Connection(H2Configuration(client_side=False)), b""
    while data := await reader.read(65536):
        taken += data
        for event in seen.receive_data(data):
            if not isinstance(event, RequestReceived):
                continue
            if dict(event.headers).get(b"authorization") == f"Bearer {api_key}".encode():
                return taken
            seen.initiate_connection()
            answer = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", UNAUTHENTICATED)]
            seen.send_headers(event.stream_id, answer, end_stream=True)
            writer.write(seen.data_to_send())
            await writer.drain()
    return None


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int, first: bytes) -> None:
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
    inner_writer.write(first)
    await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
