"""Connect to Temporal with the one data converter that everybody shares."""

from __future__ import annotations

import dataclasses
import errno
from datetime import timedelta
from functools import cache
from typing import Any, Final

import msgspec
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from libs.temporal.access import Access, explained, shown
from libs.temporal.tracing import plugins

ANSWER_SECONDS: Final = 1.5


class _MsgspecJSON(JSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Payload | None:
        return Payload(metadata={"encoding": self.encoding.encode()}, data=msgspec.json.encode(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return msgspec.json.decode(payload.data, type=type_hint or Any)


class _MsgspecPayloads(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(
            *(
                _MsgspecJSON() if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter().converters.values()
            )
        )


DATA_CONVERTER = dataclasses.replace(DataConverter.default, payload_converter_class=_MsgspecPayloads)
"""Messages are msgspec structs; they travel as plain JSON, so Temporal's own UI shows them readable."""


async def connect(
    address: str,
    namespace: str = "default",
    *,
    access: Access | None = None,
    lazy: bool = False,
    metrics_address: str = "",
) -> Client:
    """Connect to the server at `address` ("host:port").

    Args:
        address: of the server.
        namespace: of all that is asked for.
        access: how we show ourselves; None: a server that asks for nothing.
        lazy: connect on the first call instead of now.
        metrics_address: where the SDK shows what it measures of its clients and workers ("127.0.0.1:9464").

    Raises:
        ConnectError: the server does not answer, or does not let us in.
        OSError: the address for the measures is taken.
    """
    runtime = _measured(metrics_address) if metrics_address else None
    ours = shown(access)
    try:
        return await Client.connect(
            address,
            namespace=namespace,
            data_converter=DATA_CONVERTER,
            lazy=lazy,
            runtime=runtime,
            plugins=plugins(),
            # Messages are small: to pack them costs both sides more than to send them.
            grpc_compression=GrpcCompression.NONE,
            **ours,
        )
    except RuntimeError as error:
        raise explained(address, error) from error


@cache
def _measured(address: str) -> Runtime:
    """The SDK's own threads, which show what they measure. Made once: they last as long as the process."""
    metrics = PrometheusConfig(
        bind_address=address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=metrics))
    except ValueError as error:
        raise OSError(errno.EADDRINUSE, f"Temporal's measures cannot be shown at {address}: {error}") from error


async def temporal_trouble(client: Client) -> str | None:
    """Why the server keeps no runs for us now; None when it does. A check for `/readyz`.

    Asked for a run that nobody has started: the part of a server that keeps runs may be away while the rest answers.
    """
    nobody = WorkflowExecution(workflow_id="nobody's")
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=nobody)
    try:
        await client.workflow_service.describe_workflow_execution(request, timeout=timedelta(seconds=ANSWER_SECONDS))
    except RPCError as error:
        return None if error.status is RPCStatusCode.NOT_FOUND else f"Temporal answers: {error}"
    except RuntimeError as error:  # a client that connects when it is needed first
        return f"Temporal cannot be reached: {error}"
    return None
