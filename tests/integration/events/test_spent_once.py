"""A secret that is replaced each time it is used: kept sealed, spent by one at a time, on both databases."""

from __future__ import annotations

import asyncio

import pytest
from psycopg.conninfo import make_conninfo

from libs.events import Append, EventStore, migrate, open_store
from libs.events.spent_once import SpentOnce, TurnTimeoutError
from tests.doubles.tcp_gate import TcpGate
from tests.servers.addresses import PostgresServer

PREFIX = "@refresh-token/"
SEALING = "the client's secret"


def kept_by(store: EventStore, configured: str = "r0", sealing: str = SEALING) -> SpentOnce:
    return SpentOnce(store, store.url, PREFIX, configured, sealing)


async def newest(row: SpentOnce) -> str:
    async with row.turn() as turn:
        return turn.token


async def spent(row: SpentOnce, successor: str) -> str:
    async with row.turn() as turn:
        await turn.keep(successor)
        return turn.token


async def test_the_newest_outlives_the_process_and_is_not_to_be_read(store: EventStore) -> None:
    assert await spent(kept_by(store), "r1") == "r0"
    assert await spent(kept_by(store), "r2") == "r1"
    assert await newest(kept_by(store)) == "r2"
    ((name, content),) = store.checkpoints(PREFIX).items()
    assert len(content) > 50
    assert "r0" not in name
    assert SEALING.encode() not in content


async def test_another_configured_one_begins_a_new_row(store: EventStore) -> None:
    await spent(kept_by(store), "r1")
    assert await newest(kept_by(store, "n0")) == "n0"
    await spent(kept_by(store, "n0"), "n1")
    assert await newest(kept_by(store, "n0")) == "n1"
    assert await newest(kept_by(store)) == "r1"


async def test_what_cannot_be_read_is_passed_over(store: EventStore) -> None:
    await spent(kept_by(store), "r1")
    assert await newest(kept_by(store, sealing="another")) == "r0"
    (name,) = store.checkpoints(PREFIX)
    for damaged in (b"", b"null", b"[]", b"\xff", b"gAAAAA=="):
        store.append(Append(checkpoints={name: damaged}))
        assert await newest(kept_by(store)) == "r0"


async def test_processes_take_turns(store_url: str, store: EventStore) -> None:
    """Each spends what its predecessor has left: none is spent twice."""
    other = open_store(store_url)
    rows = [kept_by(store), kept_by(other), kept_by(store)]
    spent_ones: list[str] = []

    async def spend(row: SpentOnce, number: int) -> None:
        async with row.turn() as turn:
            spent_ones.append(turn.token)
            await asyncio.sleep(0.02)
            await turn.keep(f"s{number}")

    await asyncio.gather(*(spend(rows[number % 3], number) for number in range(9)))
    assert len(set(spent_ones)) == 9
    assert await newest(rows[0]) not in spent_ones
    other.close()


async def test_one_that_does_not_let_go_is_told(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.events.spent_once.WAIT_SECONDS", 0.3)
    async with kept_by(store).turn():
        with pytest.raises(TurnTimeoutError):
            await newest(kept_by(store))
    assert await newest(kept_by(store)) == "r0"


async def test_a_database_that_goes_away_between_spending_and_keeping(
    postgres: PostgresServer, gate: TcpGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is held in memory, spent next, and stored then."""
    monkeypatch.setattr("libs.events.log.postgres.CONNECT_SECONDS", 1)
    url = make_conninfo(postgres.copy(migrate), host="127.0.0.1", port=str(gate.port))
    store = open_store(url)
    row = kept_by(store)
    async with row.turn() as turn:
        gate.cut()
        await turn.keep("r1")
    gate.open()
    assert await spent(row, "r2") == "r1"
    assert await newest(kept_by(store)) == "r2"
    store.close()
