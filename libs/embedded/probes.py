"""Is it ready? Each probe answers None for yes, else the reason why not yet.

They speak the protocols themselves: each client's library would stay in the memory of a process that only asks this.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from h2.exceptions import H2Error

from libs.embedded.grpc_call import NOT_FOUND, OK, UNAVAILABLE, status_of, text_field
from libs.embedded.ports import LOOPBACK

Probe = Callable[[], Awaitable[str | None]]
SECONDS: Final = 2.0
WATCH_USER: Final = "watch"
"""Of the embedded NATS server: sees how it is, and nothing of what it holds."""
NATS_HEALTH: Final = "$SYS.REQ.SERVER.PING.HEALTHZ"
INBOX: Final = "_INBOX.health"
OK_OF_HTTP: Final = 200


async def at_once() -> str | None:
    """Nobody waits for it to be ready."""
    return None


def listens(port: int) -> Probe:
    """Something accepts connections on the port."""

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(SECONDS), _connection(port):
                return None
        except (OSError, TimeoutError):
            return f"nothing listens on port {port}"

    return probe


def nats(port: int) -> Probe:
    """The server greets, with JetStream recovered from its files."""

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(SECONDS), _connection(port) as (reader, _writer):
                greeting = await reader.readline()
        except (OSError, TimeoutError):
            return f"nothing listens on port {port}"
        info: dict[str, Any] = json.loads(greeting.removeprefix(b"INFO ") or b"{}")
        return None if info.get("jetstream") else "JetStream is not up"

    return probe


def nats_takes(port: int, watch: str) -> Probe:
    """Its streams take messages. One that could not be written once takes nothing until the server starts again."""
    login = json.dumps({"user": WATCH_USER, "pass": watch, "verbose": False, "headers": False})
    asked = f"CONNECT {login}\r\nSUB {INBOX} 1\r\nPUB {NATS_HEALTH} {INBOX} 0\r\n\r\n".encode()

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(SECONDS), _connection(port) as (reader, writer):
                await reader.readline()  # its greeting
                writer.write(asked)
                answer = await _message(reader)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            return f"it does not answer: {type(error).__name__}"
        found: dict[str, Any] = json.loads(answer)["data"]
        return None if found["status"] == "ok" else str(found.get("error", found["status"]))

    return probe


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The first message on a connection to NATS.

    Raises:
        OSError: the server says that something is wrong, or closes the connection.
    """
    while line := await reader.readline():
        if line.startswith(b"MSG "):
            return await reader.readexactly(int(line.rsplit(maxsplit=1)[1]))
        if line.startswith(b"-ERR"):
            raise OSError(line.decode(errors="replace").strip())
    raise ConnectionResetError


def temporal_works(port: int, namespace: str) -> Probe:
    """The part of the server answers that keeps the runs: after a write that failed it is away, while the rest is not.

    Asked for a run that nobody has started.
    """
    nobody = text_field(1, namespace) + text_field(2, text_field(1, "nobody's"))

    async def probe() -> str | None:
        status, said = await _status_of(port, "DescribeWorkflowExecution", nobody)
        return None if status == NOT_FOUND else said

    return probe


def temporal(port: int, namespace: str) -> Probe:
    """The server answers, and knows the namespace."""

    async def probe() -> str | None:
        status, said = await _status_of(port, "DescribeNamespace", text_field(1, namespace))
        return None if status == OK else f"no answer on port {port}: {said}"

    return probe


async def _status_of(port: int, method: str, message: bytes) -> tuple[int, str]:
    try:
        async with asyncio.timeout(SECONDS):
            return await status_of(port, method, message)
    except (OSError, TimeoutError, H2Error) as error:
        return UNAVAILABLE, f"it does not answer: {str(error) or type(error).__name__}"


def readyz(port: int) -> Probe:
    """The service says that it can work."""
    asked = f"GET /readyz HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(SECONDS * 2), _connection(port) as (reader, writer):
                writer.write(asked)
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return None if int(head.split()[1]) == OK_OF_HTTP else _failing(json.loads(body))
        except (OSError, TimeoutError, ValueError, IndexError) as error:
            return f"no answer on port {port}: {type(error).__name__}"

    return probe


def _failing(report: dict[str, Any]) -> str:
    checks: dict[str, Any] = report.get("checks", {})
    return "; ".join(f"{name}: {check['reason']}" for name, check in checks.items() if not check["ok"])


@contextlib.asynccontextmanager
async def _connection(port: int) -> Any:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
