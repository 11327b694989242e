"""The containers of an overlay as processes of this machine, on real servers.

Each gets exactly its manifest's environment on top of the image's; only what one machine cannot have is put elsewhere:
names of hosts, the folder of secrets, and ports, since all share one address. The servers are real: PostgreSQL,
Temporal, and NATS with the shipped permissions.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from libs.jira_simulator.server import EMAIL, TOKEN
from tests.deploy.laid_out import ShippedNats, secrets_in
from tests.deploy.manifests import K8S, Object, container_of, environment, name_of
from tests.deploy.test_k8s import image_environment, secret_at
from tests.eventually import wait_until
from tests.servers.addresses import PostgresServer, TemporalServer, free_port

T = TypeVar("T")

OVERLAY = "dev"
PATIENCE = 120.0


class Pods:
    """Processes by pod name, and where they find each other."""

    def __init__(self, folder: Path, nats: ShippedNats, database: str) -> None:
        self.folder, self.nats, self.database = folder, nats, database
        self.hosts: dict[str, str] = {}
        self.given: dict[str, str] = {}
        """Variables that are other here than in the manifests."""
        self.arguments: dict[str, str] = {}
        """Arguments that are."""
        self.ports: dict[str, int] = defaultdict(free_port)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def environ(self, workload: Object, pod: str = "") -> dict[str, str]:
        """As the container has it."""
        given = image_environment() | environment(OVERLAY, workload)
        del given["PATH"]
        placed = {name: self._placed(workload, value) for name, value in given.items()} | self.given
        port = str(self.ports[pod or name_of(workload)])
        own = {"JDI_HEALTH_PORT": port} | ({"JDI_PORT": port} if "JDI_PORT" in given else {})
        return placed | own | {"PATH": os.environ["PATH"]}

    def _placed(self, workload: Object, value: str) -> str:
        if value.startswith("/run/secrets/"):
            secret, key = secret_at(workload, value)
            return str(self.folder / "mounted" / secret / key)
        for host, here in self.hosts.items():
            value = value.replace(host, here)
        return value

    def start(self, workload: Object, pod: str = "") -> None:
        """Start a replica; its pod is named after the workload where there is one alone."""
        pod = pod or name_of(workload)
        with (self.folder / f"{pod}.log").open("ab") as out:
            self.processes[pod] = subprocess.Popen(
                [sys.executable, "-m", *self._arguments(workload)],
                env=self.environ(workload, pod),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _arguments(self, workload: Object) -> list[str]:
        return [self.arguments.get(argument, argument) for argument in container_of(workload)["args"]]

    def run(self, workload: Object, *arguments: str) -> str:
        """A command in the environment of a workload, to its end."""
        command = [sys.executable, "-m", *(arguments or self._arguments(workload))]
        done = subprocess.run(command, env=self.environ(workload), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, pod: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Status and body, JSON where it is."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[pod]}{path}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            return 0, str(error).encode()

    def until(self, pod: str, look: Callable[[], T], good: Callable[[T], object] = bool) -> T:
        """What `look` sees once it is good, which may be a while after the pod has begun."""
        return wait_until(
            look, good, hopeless=lambda: self.processes[pod].poll() is not None and self.said(pod), seconds=PATIENCE
        )

    def until_probed(self, workload: Object, probe: str, pod: str = "") -> None:
        """Wait until a probe of the manifest is answered as Kubernetes wants it."""
        pod, path = pod or name_of(workload), container_of(workload)[probe]["httpGet"]["path"]
        self.until(pod, lambda: self.ask(pod, path), lambda answer: answer[0] == 200)

    def said(self, pod: str) -> str:
        return (self.folder / f"{pod}.log").read_text()

    def signal(self, pod: str, number: signal.Signals) -> None:
        self.processes[pod].send_signal(number)

    def ended(self, pod: str, seconds: float) -> int | None:
        """The exit code; None when the process is still there after so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.processes[pod].wait(timeout=seconds)
        return None


@contextlib.contextmanager
def laid_out(
    folder: Path,
    postgres: PostgresServer,
    temporal: TemporalServer,
    namespace: str,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[Pods]:
    """The servers and the secrets, where the containers look for them; nothing is started yet.

    `secrets` are those of the template that are other than it says.
    """
    nats = ShippedNats(folder, secrets_in(folder / "secrets"))
    nats.start()
    pods = Pods(folder, nats, postgres.fresh_database())
    pods.hosts["temporal-frontend.temporal.svc.cluster.local:7233"] = temporal.address
    values = {
        "jdi-database": {"url": pods.database},
        "jdi-jira": {"email": EMAIL, "api-token": TOKEN},
        **{f"jdi-nats-{user}": {"url": nats.url(user)} for user in ("relay", "telemetry", "notifier")},
        **(secrets or {}),
    }
    for secret in yaml.safe_load_all((K8S / "secrets.example.yaml").read_text()):
        for key, value in (secret["stringData"] | values.get(name_of(secret), {})).items():
            path = folder / "mounted" / name_of(secret) / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(value)
    _namespace(temporal, namespace, "create", "--retention", "24h")
    try:
        yield pods
    finally:
        for process in pods.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        _namespace(temporal, namespace, "delete", "--yes")
        nats.kill()


def _namespace(temporal: TemporalServer, name: str, action: str, *options: str) -> None:
    command = [temporal.command[0], "operator", "namespace", action, "--address", temporal.address, "-n", name]
    subprocess.run([*command, *options], check=True, capture_output=True)
