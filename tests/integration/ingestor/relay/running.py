"""The relay as a process, and what it answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.servers.addresses import free_port


class RelayProcess:
    """`python -m services.ingestor.relay`, started at once. Knows neither Jira's address nor its credentials."""

    def __init__(self, url: str, nats_url: str, folder: Path) -> None:
        self.port = free_port()
        ours = ("JIRA_", "JDI_", "TEMPORAL_")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environ |= {"DATABASE_URL": url, "NATS_URL": nats_url, "JIRA_SITE": "acme", "JDI_HEALTH_PORT": str(self.port)}
        command = [sys.executable, "-m", "services.ingestor.relay"]
        self._output = folder / f"relay-{self.port}.log"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)

    @property
    def said(self) -> str:
        return self._output.read_text()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ended(self) -> int:
        """The exit code, once it has ended."""
        return self._process.wait(60)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 while nobody listens."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def failing(self) -> dict[str, str]:
        """The checks that fail, with their reasons; `alive` while nobody listens."""
        status, body = self.get("/readyz")
        checks: dict[str, Any] = json.loads(body)["checks"] if status else {"alive": {"ok": False, "reason": "no"}}
        return {name: check["reason"] for name, check in checks.items() if not check["ok"]}

    def place(self) -> int | None:
        """Where it is; None while another leads."""
        lines = self.get("/metrics")[1].splitlines()
        found = [line for line in lines if line.startswith('jdi_position{service="relay"} ')]
        return int(float(found[0].partition("} ")[2])) if found else None


@contextlib.contextmanager
def relaying(url: str, nats_url: str, folder: Path) -> Iterator[RelayProcess]:
    process = RelayProcess(url, nats_url, folder)
    try:
        yield process
    finally:
        process.signal(signal.SIGCONT)
        process.kill()
