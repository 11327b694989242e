"""The system that the blocks of the documentation run against: `jdi up` with a simulated Jira, as a reader has it.

The site is `acme` with the projects ALPHA and BETA, which the examples name. GAMMA is there for who registers one.
Commands run in a folder that looks like the repository, with the data folder `.jdi` of the running stack in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from tests.docs.pages import ROOT
from tests.eventually import until
from tests.servers.addresses import free_port

ADMIN_TOKEN = "the administrator of these pages"
FOREIGN = ("JIRA_", "JDI_", "DATABASE_URL", "NATS_URL", "TEMPORAL_", "SYNC_", "OTEL_")
NOT_OURS = frozenset({".git", ".jdi", "build", "dist"})
READY_SECONDS = 120


class Stack:
    """What runs, and where a reader would find it."""

    def __init__(self, folder: Path, simulator: Simulator, port: int) -> None:
        self.folder, self.simulator, self.port = folder, simulator, port

    @property
    def places(self) -> dict[str, str]:
        """What the pages name, and where it is here."""
        addresses = _addresses(self.folder / ".jdi/stack.json")
        return {
            "127.0.0.1:8080": f"127.0.0.1:{self.port}",
            "nats://127.0.0.1:4222": addresses["nats_url"],
            "http://127.0.0.1:8095": self.simulator.base_url,
            "/backups/": f"{self.folder}/backups/",
            "/srv/": f"{self.folder}/srv/",
        }

    @property
    def environ(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return ours | {
            "HOME": str(self.folder),
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "120",
        }

    async def ask(self, query: str) -> dict[str, Any]:
        """A question to the API, as the administrator."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"http://127.0.0.1:{self.port}/graphql", json={"query": query}) as answer,
        ):
            found: dict[str, Any] = await answer.json()
            return found


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Stack]:
    """Everything, with ALPHA and BETA synced once."""
    for entry in ROOT.iterdir():
        if entry.name not in NOT_OURS:
            (folder / entry.name).symlink_to(entry)
    for name in ("backups", "srv"):
        (folder / name).mkdir()
    async with serve(Dataset.generate(projects=("ALPHA", "BETA", "GAMMA"), issues=40, seed=3)) as simulator:
        stack = Stack(folder, simulator, free_port())
        log = folder / "up.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *("jdi", "up", "--log-level", "warning"),
                cwd=folder,
                env=stack.environ | _settings(simulator, stack.port),
                stdout=out,
                stderr=out,
            )
        try:
            await _synced(stack, process, log)
            yield stack
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await process.wait()


def _settings(simulator: Simulator, port: int) -> dict[str, str]:
    return {
        "JIRA_BASE_URL": simulator.base_url,
        "JIRA_SITE": "acme",
        "JIRA_EMAIL": EMAIL,
        "JIRA_API_TOKEN": TOKEN,
        "JIRA_ALLOW_INSECURE": "1",
        "JIRA_PROJECTS": "ALPHA,BETA",
        "SYNC_DEFAULT_CRON": "0 0 1 1 *",  # no run by schedule comes between
        "JDI_PORT": str(port),
        "JDI_ADMIN_TOKEN": ADMIN_TOKEN,
    }


async def _synced(stack: Stack, process: asyncio.subprocess.Process, log: Path) -> None:
    async def results() -> list[str | None]:
        answer = await stack.ask("{ syncJobs { lastResult } }")
        return [job["lastResult"] for job in answer["data"]["syncJobs"]]

    await until(
        results,
        lambda found: len(found) == 2 and all(found),
        despite=(aiohttp.ClientError,),
        hopeless=lambda: process.returncode is not None and f"jdi up has ended:\n{log.read_text()}",
        seconds=READY_SECONDS,
    )


def _addresses(stack_file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack_file.read_text())
    return found
