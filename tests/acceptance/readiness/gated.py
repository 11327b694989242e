"""Every service as a process on real servers, each behind a gate that a test can cut or block."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from libs.embedded.environment import MODULES
from libs.jira_simulator.server import serve
from libs.jira_simulator.site.dataset import Dataset
from services.cli.migrations import migrate
from tests.acceptance.disk.systems import environ
from tests.acceptance.readiness.matrix import SERVICES
from tests.doubles.tcp_gate import TcpGate
from tests.servers.addresses import NatsServer, PostgresServer, TemporalServer, end_other_sessions, free_port


class Gated:
    """The services that run, and the ways to what they stand on."""

    def __init__(self, database: str, gates: dict[str, TcpGate]) -> None:
        self.database, self.gates = database, gates
        self.ports = {name: free_port() for name in SERVICES}

    @contextlib.asynccontextmanager
    async def trouble(self, part: str, kind: str) -> AsyncIterator[None]:
        """Within the block that part is unwell in that way."""
        with contextlib.ExitStack() as undone:
            await asyncio.to_thread(undone.enter_context, self._trouble(part, kind))
            try:
                yield
            finally:
                await asyncio.to_thread(undone.close)

    @contextlib.contextmanager
    def _trouble(self, part: str, kind: str) -> Iterator[None]:
        if kind == "away":
            self.gates[part].cut()
            yield
            self.gates[part].open()
        elif kind == "slow":
            self.gates[part].hold()
            yield
            self.gates[part].release()
        elif kind == "locked":
            with psycopg.connect(self.database) as holder:
                holder.execute(LOCKS[part])
                yield
        else:
            self._read_only(on=True)
            yield
            self._read_only(on=False)

    def _read_only(self, *, on: bool) -> None:
        name = conninfo_to_dict(self.database)["dbname"]
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            setting = "SET default_transaction_read_only = on" if on else "RESET default_transaction_read_only"
            connection.execute(f'ALTER DATABASE "{name}" {setting}'.encode())
        end_other_sessions(self.database)


LOCKS = {
    "event log": "LOCK TABLE jdi_events IN EXCLUSIVE MODE",
    "read tables": "UPDATE projection SET generation = generation",
}


@contextlib.asynccontextmanager
async def gated(
    folder: Path, postgres: PostgresServer, nats: NatsServer, temporal: TemporalServer
) -> AsyncIterator[Gated]:
    database = postgres.fresh_database()
    await asyncio.to_thread(migrate, database)
    known = conninfo_to_dict(database)
    host, port = str(known["host"]), int(known.get("port") or 5432)
    async with serve(Dataset.generate(projects=("DEMO",), issues=10)) as jira:
        ways = {
            "database": TcpGate(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)),
            "NATS": TcpGate(("127.0.0.1", urlsplit(nats.url).port or 4222)),
            "Temporal": TcpGate(("127.0.0.1", temporal.port)),
            "Jira": TcpGate(("127.0.0.1", urlsplit(jira.base_url).port or 80)),
        }
        for way in ways.values():
            way.open()
        running = Gated(database, ways)
        given = environ(jira) | {
            "DATABASE_URL": f"postgresql://{known['user']}@127.0.0.1:{ways['database'].port}/{known['dbname']}"
            "?sslmode=disable",
            "NATS_URL": f"nats://127.0.0.1:{ways['NATS'].port}",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{ways['Temporal'].port}",
            "JIRA_BASE_URL": f"http://127.0.0.1:{ways['Jira'].port}",
            "JDI_DATA_DIR": str(folder),
        }
        processes = [_started(name, health, folder, given) for name, health in running.ports.items()]
        try:
            yield running
        finally:
            for process in processes:
                process.kill()
                process.wait()
            for way in ways.values():
                way.release()
                way.cut()


def _started(name: str, health: int, folder: Path, given: dict[str, str]) -> subprocess.Popen[bytes]:
    own = {"JDI_PORT" if name == "graphql" else "JDI_HEALTH_PORT": str(health)}
    with (folder / f"{name}.log").open("wb") as log:
        command = [sys.executable, "-m", MODULES[name]]
        return subprocess.Popen(command, env={**os.environ, **given, **own}, stdout=log, stderr=log)
