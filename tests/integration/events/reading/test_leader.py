"""One leader per name, whatever becomes of the one before; on SQLite a lock of a file, on PostgreSQL of a session."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg

from libs.events import Lease, lead_by_lease, leadership
from libs.events.reading.leader import SILENT, _session
from libs.runtime import Stop
from tests.doubles.tcp_gate import TcpGate
from tests.eventually import until
from tests.servers.addresses import PostgresServer

LEADER = """
import asyncio, sys
from libs.events import lead_by_lease
from libs.runtime import Stop

async def lead(lease):
    print("leads", flush=True)
    await lease.wait()

asyncio.run(lead_by_lease(sys.argv[1], "clerk", Stop(), lead, on_health=print))
"""


class Clerk:
    """Leads when it can, and writes while it does."""

    def __init__(self) -> None:
        self.leads, self.reported, self.standby = False, list[str](), 0
        self.leases, self.written = 0, 0

    async def lead(self, lease: Lease) -> None:
        self.leads, self.leases = True, self.leases + 1
        while await lease.still_held():
            self.written += 1
            await lease.sleep(0.01)
        self.leads = False

    def hear(self, why: str | None) -> None:
        assert why is not None
        self.reported.append(why)

    def stand_by(self) -> None:
        self.standby += 1

    async def until(self, what: str) -> None:
        await until(lambda: getattr(self, what))


@contextlib.asynccontextmanager
async def at_work(url: str) -> AsyncIterator[Clerk]:
    clerk, stop = Clerk(), Stop()
    task = asyncio.create_task(
        lead_by_lease(url, "clerk", stop, clerk.lead, on_health=clerk.hear, on_standby=clerk.stand_by)
    )
    try:
        yield clerk
    finally:
        stop.set()
        await task


def through(gate: TcpGate, url: str) -> str:
    """The same database by the way of the gate."""
    return psycopg.conninfo.make_conninfo(url, host="127.0.0.1", port=str(gate.port))


async def test_one_name_has_one_leader_and_another_name_another(store_url: str) -> None:
    async with leadership(store_url, "relay") as first, leadership(store_url, "telemetry") as other:
        assert first is not None
        assert other is not None
        assert first()
        async with leadership(store_url, "relay") as second:
            assert second is None
    async with leadership(store_url, "relay") as next_one:
        assert next_one is not None


async def test_one_that_is_told_to_stop_makes_room(store_url: str) -> None:
    async with contextlib.AsyncExitStack() as first:
        one = await first.enter_async_context(at_work(store_url))
        await one.until("written")
        async with at_work(store_url) as other:
            await other.until("standby")
            assert (other.leads, one.leads) == (False, True)
            await first.aclose()
            await other.until("written")
            assert (one.leads, one.leases, one.reported, other.reported) == (False, 1, [], [])


async def test_one_that_is_killed_makes_room(store_url: str) -> None:
    leader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LEADER, store_url, cwd=Path(__file__).parents[4], stdout=asyncio.subprocess.PIPE
    )
    assert leader.stdout is not None
    assert await leader.stdout.readline() == b"leads\n"
    async with at_work(store_url) as other:
        await other.until("standby")
        assert not other.leads
        leader.kill()
        await other.until("written")
    assert await leader.wait() == -9


async def test_a_leader_that_is_cut_off_writes_nothing_more_and_leads_again_later(
    postgres: PostgresServer, gate: TcpGate
) -> None:
    url = postgres.fresh_database()
    async with at_work(through(gate, url)) as one:
        await one.until("written")
        gate.cut()
        async with at_work(url) as other:
            await other.until("written")
            await one.until("reported")
            written = one.written
            assert not one.leads
            assert "does not answer" in one.reported[-1]
            gate.open()
            await one.until("standby")
            assert one.written == written
        await one.until("leads")


async def test_a_step_that_begins_after_the_loss_does_not_go_on(postgres: PostgresServer, gate: TcpGate) -> None:
    """However long it is until the next look by the clock."""
    async with leadership(through(gate, postgres.fresh_database()), "clerk") as holds_lock:
        assert holds_lock is not None
        lease = Lease(holds_lock)
        assert await lease.still_held()
        gate.cut()
        assert not await lease.still_held()
        assert lease.is_set()
        await lease.wait()


def test_a_server_whose_machine_is_gone_is_found_out(postgres: PostgresServer, gate: TcpGate) -> None:
    with _session(through(gate, postgres.fresh_database())) as session:
        options = {option.keyword.decode(): option.val for option in session.pgconn.info}
        assert {name: options[f"keepalives_{name}"] for name in SILENT} == {
            name: str(value).encode() for name, value in SILENT.items()
        }
