"""Connect to Temporal with the one data converter that everybody shares."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)


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


async def connect(address: str, namespace: str = "default", *, lazy: bool = False) -> Client:
    """Connect to the server at `address` ("host:port"); lazy: on the first call instead of now.

    Raises:
        RuntimeError: the server does not answer.
    """
    return await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER, lazy=lazy)
