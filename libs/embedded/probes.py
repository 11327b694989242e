"""Is it ready? Each probe answers None for yes, else the reason why not yet."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from libs.embedded.ports import LOOPBACK

Probe = Callable[[], Awaitable[str | None]]
SECONDS: Final = 2.0


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


def temporal(address: str, namespace: str) -> Probe:
    """The server answers, and knows the namespace."""

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(SECONDS):
                client = await ServiceClient.connect(ConnectConfig(target_host=address))
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
        except (RPCError, RuntimeError, TimeoutError) as error:
            return f"no answer on {address}: {error}"
        return None

    return probe


def readyz(port: int) -> Probe:
    """The service says that it can work."""

    async def probe() -> str | None:
        timeout = aiohttp.ClientTimeout(total=SECONDS * 2)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"http://{LOOPBACK}:{port}/readyz") as answer,
            ):
                return None if answer.status == 200 else _failing(await answer.json())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
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
