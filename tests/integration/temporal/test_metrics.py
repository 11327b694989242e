"""Temporal's own measures, where they are asked for."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from temporalio import activity

from libs.temporal.connect import connect
from libs.temporal.worker import make_worker
from tests.eventually import until
from tests.servers.addresses import TemporalServer, free_port


@activity.defn
async def nothing() -> None:
    """Is never called: a worker must have one."""


async def test_the_sdk_shows_what_it_measures(temporal: TemporalServer) -> None:
    address = f"127.0.0.1:{free_port()}"
    client = await connect(temporal.address, metrics_address=address)
    await connect(temporal.address, metrics_address=address)  # of the same process: the same measures
    wanted = ("temporal_request_latency_seconds_bucket{", "temporal_worker_task_slots_available{")
    async with make_worker(client, "measured", activities=[nothing]), aiohttp.ClientSession() as http:

        async def shown() -> str:
            async with http.get(f"http://{address}/metrics") as answer:
                return await answer.text()

        # A worker shows its slots as soon as it asks for work.
        await until(shown, lambda text: all(name in text for name in wanted))


async def test_a_taken_address_is_an_error_of_its_own(temporal: TemporalServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot be shown at {address}"):
            await connect(temporal.address, metrics_address=address)
