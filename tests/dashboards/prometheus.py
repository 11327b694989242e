"""A real Prometheus with the shipped configuration: our addresses for its targets, and a shorter interval."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.eventually import until
from tests.servers.addresses import Process, free_port
from tests.unit.observe.catalogue import ROOT

OBSERVE = ROOT / "deploy" / "observe"
INTERVAL = 2
"""s from one scrape to the next; of the rules as well."""


class QueryError(Exception):
    """Prometheus does not take a query."""


class Prometheus:
    """Asks one server."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def at(self, query: str, when: float) -> list[dict[str, Any]]:
        """Each series as `{"metric": labels, "value": (time, value)}`."""
        return await self._ask("query", query=query, time=when)

    async def over(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Each series as `{"metric": labels, "values": [(time, value), …]}`."""
        return await self._ask("query_range", query=query, start=start, end=end, step=step)

    async def _ask(self, how: str, **arguments: str | float) -> list[dict[str, Any]]:
        async with self._session.get(f"/api/v1/{how}", params=arguments) as response:
            answer = await response.json()
        if answer["status"] != "success":
            raise QueryError(f"{answer['error']}\n  in {arguments['query']}")
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


@asynccontextmanager
async def prometheus(folder: Path, targets: Sequence[str]) -> AsyncIterator[Prometheus]:
    """Runs on the data of `folder`, which stay there, and scrapes the targets."""
    port = free_port()
    command = [
        _program(),
        f"--config.file={_configured(folder, targets)}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    server = Process(command, port, folder / "prometheus.log")
    server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await _ready(session)
            yield Prometheus(session)
    finally:
        server.kill()


def _program() -> str:
    found = subprocess.run([OBSERVE / "program.sh", "prometheus"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def _configured(folder: Path, targets: Sequence[str]) -> Path:
    shipped = OBSERVE / "prometheus"
    configuration = yaml.safe_load((shipped / "prometheus.yml").read_text())
    configuration["global"] = dict.fromkeys(("scrape_interval", "evaluation_interval"), f"{INTERVAL}s")
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": list(targets)}]
    shutil.copytree(shipped / "rules", folder / "rules", dirs_exist_ok=True)
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    return path


async def _ready(session: aiohttp.ClientSession) -> None:
    """It listens before it has read its data."""

    async def status() -> int:
        async with session.get("/-/ready") as answer:
            return answer.status

    await until(status, lambda found: found == 200, despite=(aiohttp.ClientError,))
