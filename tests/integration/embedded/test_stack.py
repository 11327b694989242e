"""The embedded stack with its real servers, and the projector as a real service."""

import asyncio
import io
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.js.api import StreamConfig
from rich.console import Console

from libs.embedded import environment, probes, stack_file
from libs.embedded.children.log_stream import LogStream
from libs.embedded.errors import StackError
from libs.embedded.ports import choose
from libs.embedded.stack import Stack, StackPlan, running
from libs.temporal.connect import connect
from services.cli.migrations import migrate
from tests.eventually import until


def plan(data_dir: Path, services: tuple[str, ...] = ()) -> StackPlan:
    return StackPlan(
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir / 'jdi.db'}",
        site="test",
        temporal_namespace="default",
        graphql_port=choose(["graphql"], {})["graphql"],
        graphql_port_is_fixed=True,
        jira_base_url="http://127.0.0.1:9",
        admin_token=None,
        environ=os.environ,
        services=services,
    )


@asynccontextmanager
async def started(wanted: StackPlan) -> AsyncIterator[Stack]:
    stream = LogStream(Console(file=io.StringIO()), wanted.data_dir / "logs")
    try:
        async with running(wanted, stream) as stack:
            yield stack
    finally:
        stream.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_servers_answer_with_our_settings_and_nothing_is_left_behind(tmp_path: Path) -> None:
    async with started(plan(tmp_path)) as stack:
        client = await connect(stack.file.temporal_address)
        assert await client.service_client.check_health()
        connection = await nats.connect(stack.file.nats_url)
        await connection.jetstream().add_stream(StreamConfig(name="PROOF", subjects=["proof"]))
        await connection.close()
        assert "sync_interval: 1s" in (tmp_path / "nats.conf").read_text()
        pids = stack.supervisor.pids()
        assert set(pids) == {"temporal", "nats"}
    assert all(gone(pid) for pid in pids.values())


async def test_data_and_ports_survive_a_restart(tmp_path: Path) -> None:
    async with started(plan(tmp_path)) as stack:
        first = stack.file
        connection = await nats.connect(first.nats_url)
        await connection.jetstream().add_stream(StreamConfig(name="PROOF", subjects=["proof"]))
        await connection.jetstream().publish("proof", b"kept")
        await connection.close()
    async with started(plan(tmp_path)) as stack:
        assert stack.file.ports == first.ports
        connection = await nats.connect(stack.file.nats_url)
        assert (await connection.jetstream().get_msg("PROOF", 1)).data == b"kept"
        await connection.close()


async def test_a_killed_server_and_a_killed_service_come_back_on_their_ports(tmp_path: Path) -> None:
    wanted = plan(tmp_path, ("projector",))
    migrate(wanted.database_url)
    async with started(wanted) as stack:
        before = stack.supervisor.pids()
        assert set(before) == {"temporal", "nats", "projector"}
        for name in ("nats", "projector"):
            os.kill(before[name], signal.SIGKILL)
        for probe in (
            probes.nats(stack.file.ports["nats"]),
            probes.readyz(stack.file.ports["health-projector"]),
        ):
            await until_changed_and_ready(stack, before, probe)
        after = stack.supervisor.pids()
        assert after["temporal"] == before["temporal"]
        assert after["nats"] != before["nats"]
        written = stack_file.read(tmp_path)
        assert written is not None
        assert written.pids == {"jdi": os.getpid(), **after}


async def until_changed_and_ready(stack: Stack, before: dict[str, int], probe: probes.Probe) -> None:
    def have_changed(pids: dict[str, int]) -> bool:
        return all(pids.get(name, before[name]) != before[name] for name in ("nats", "projector"))

    await until(stack.supervisor.pids, have_changed)
    await until(probe, lambda trouble: trouble is None)


async def test_a_cancelled_stack_stops_its_children(tmp_path: Path) -> None:
    pids: dict[str, int] = {}
    ready = asyncio.Event()

    async def run() -> None:
        async with started(plan(tmp_path)) as stack:
            pids.update(stack.supervisor.pids())
            ready.set()
            await stack.failed()

    task = asyncio.create_task(run())
    await asyncio.wait_for(ready.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pids
    assert all(gone(pid) for pid in pids.values())


async def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is taken; set JDI_PORT to a free one") as caught:
            async with started(replace(plan(tmp_path), graphql_port=port)):
                pass
        assert caught.value.exit_code == 2
        async with started(replace(plan(tmp_path), graphql_port=port, graphql_port_is_fixed=False)) as stack:
            assert int(stack.file.graphql_url.rpartition(":")[2]) > port


async def test_servers_given_by_address_are_not_started(tmp_path: Path) -> None:
    async with started(plan(tmp_path / "one")) as first:
        addresses = {"temporal_address": first.file.temporal_address, "nats_url": first.file.nats_url}
        (tmp_path / "two").mkdir()
        async with started(replace(plan(tmp_path / "two"), **addresses)) as second:  # type: ignore[arg-type]
            assert second.supervisor.pids() == {}
            assert second.file.nats_url == first.file.nats_url


def test_the_five_services_are_the_modules_that_exist() -> None:
    root = Path(__file__).parents[3]
    found = {path.parent.name for path in (root / "services").glob("*/__main__.py")} - {"cli"}
    assert set(environment.SERVICES) >= found
