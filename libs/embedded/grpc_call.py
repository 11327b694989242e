"""One question to Temporal's server, asked as gRPC asks, and whether it was answered.

Temporal's own client would take 25 MB and threads of its own in a process that wants to know this and nothing else.
"""

import asyncio
import contextlib
import struct
from typing import Final

import h2.config
import h2.connection
import h2.events

from libs.embedded.ports import LOOPBACK

SERVICE: Final = "/temporal.api.workflowservice.v1.WorkflowService"
OK: Final = 0
NOT_FOUND: Final = 5
UNAVAILABLE: Final = 14
READ_BYTES: Final = 65536


def text_field(number: int, value: str | bytes) -> bytes:
    """A field of a protobuf message: text, or a message within."""
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


async def status_of(port: int, method: str, message: bytes) -> tuple[int, str]:
    """Ask the server on a port of loopback; gRPC's status and what it says of it.

    Raises:
        OSError: nobody answers, or not as gRPC does.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        return await _asked(reader, writer, f"{LOOPBACK}:{port}", f"{SERVICE}/{method}", message)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str, path: str, message: bytes
) -> tuple[int, str]:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    connection.initiate_connection()
    headers = [(":method", "POST"), (":scheme", "http"), (":authority", authority), (":path", path)]
    connection.send_headers(1, [*headers, ("te", "trailers"), ("content-type", "application/grpc")])
    connection.send_data(1, struct.pack(">?I", False, len(message)) + message, end_stream=True)
    writer.write(connection.data_to_send())
    while data := await reader.read(READ_BYTES):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                told = dict(event.headers or ())
                if b"grpc-status" in told:
                    return int(told[b"grpc-status"]), told.get(b"grpc-message", b"").decode(errors="replace")
            if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                raise ConnectionResetError("the call was broken off")
        writer.write(connection.data_to_send())
    raise ConnectionResetError("the connection was closed")


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
