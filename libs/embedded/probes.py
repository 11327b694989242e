"""Is it ready? Each probe answers None for yes, else the reason why not yet."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import nats as nats_client
from nats.errors import Error as NatsError
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeWorkflowExecutionRequest
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

from libs.embedded.ports import LOOPBACK

Probe = Callable[[], Awaitable[str | None]]
SECONDS: Final = 2.0
WATCH_USER: Final = "watch"
"""Of the embedded NATS server: sees how it is, and nothing of what it holds."""
NATS_HEALTH: Final = "$SYS.REQ.SERVER.PING.HEALTHZ"


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

    async def unheard(_error: Exception) -> None:
        """What ends the connection comes to its caller, too."""

    async def probe() -> str | None:
        url = f"nats://{WATCH_USER}:{watch}@{LOOPBACK}:{port}"
        try:
            async with asyncio.timeout(SECONDS):
                client = await nats_client.connect(
                    url, error_cb=unheard, allow_reconnect=False, max_reconnect_attempts=1
                )
                try:
                    answer = await client.request(NATS_HEALTH, timeout=SECONDS)
                finally:
                    await client.close()
        except (NatsError, OSError, TimeoutError) as error:
            return f"it does not answer: {type(error).__name__}"
        found: dict[str, Any] = json.loads(answer.data)["data"]
        return None if found["status"] == "ok" else str(found.get("error", found["status"]))

    return probe


def temporal_works(address: str, namespace: str) -> Probe:
    """The part of the server answers that keeps the runs: after a write that failed it is away, while the rest is not.

    Asked for a run that nobody has started.
    """
    nobody = DescribeWorkflowExecutionRequest(namespace=namespace, execution=WorkflowExecution(workflow_id="nobody's"))
    connections: list[ServiceClient] = []  # kept, as it is asked again and again; it connects anew by itself

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(SECONDS):
                if not connections:
                    connections.append(await ServiceClient.connect(ConnectConfig(target_host=address)))
                await connections[0].workflow_service.describe_workflow_execution(nobody)
        except RPCError as error:
            return None if error.status is RPCStatusCode.NOT_FOUND else str(error)
        except (RuntimeError, TimeoutError) as error:
            return f"it does not answer: {str(error) or type(error).__name__}"
        return None

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
