"""How the servers are, asked in their own protocols."""

from __future__ import annotations

from pathlib import Path

from libs.embedded import probes
from libs.embedded.grpc_call import NOT_FOUND, OK, status_of, text_field
from tests.integration.embedded.test_stack import plan, started
from tests.servers.addresses import free_port


async def test_temporal_and_nats_are_asked_without_their_clients(tmp_path: Path) -> None:
    async with started(plan(tmp_path)) as stack:
        port = stack.file.ports["temporal"]
        assert await status_of(port, "DescribeNamespace", text_field(1, "default")) == (OK, "")
        status, said = await status_of(port, "DescribeNamespace", text_field(1, "n" * 200))
        assert (status, "n" * 200 in said) == (NOT_FOUND, True)
        assert await probes.temporal(port, "default")() is None
        assert await probes.temporal_works(port, "default")() is None
        wrong = await probes.nats_takes(stack.file.ports["nats"], "a wrong secret")()
        assert wrong is not None
        assert "it does not answer" in wrong
        other = await probes.temporal(stack.file.ports["nats"], "default")()
        assert other is not None
        assert "it does not answer" in other


async def test_where_nobody_listens_the_reason_says_so() -> None:
    port = free_port()
    for probe in (
        probes.temporal(port, "default"),
        probes.temporal_works(port, "default"),
        probes.nats_takes(port, ""),
        probes.readyz(port),
    ):
        why = await probe()
        assert why is not None
        assert "answer" in why
