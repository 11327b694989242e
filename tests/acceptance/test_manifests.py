"""The manifests mean what they say: every container command of an overlay, as a process of this machine.

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
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from libs.jira_simulator.server import EMAIL, TOKEN
from tests.deploy.laid_out import ShippedNats, secrets_in
from tests.deploy.manifests import (
    K8S,
    SERVICES,
    Object,
    container_of,
    environment,
    name_of,
    named,
    of_kind,
    pod_of,
    workloads,
)
from tests.deploy.test_k8s import files_named, image_environment, secret_at
from tests.servers import PostgresServer, TemporalServer, free_port

OVERLAY = "dev"
PATIENCE = 120.0
ISSUES = 40
QUERY = '{ issues(projectId: "DEMO", first: 100) { nodes { key } } syncStates(projectId: "DEMO") { status } }'


class World:
    """The processes of an overlay, and where they find each other."""

    def __init__(self, folder: Path, hosts: dict[str, str]) -> None:
        self.folder, self.hosts = folder, hosts
        self.ports = {name_of(each): free_port() for each in of_kind(OVERLAY, "Deployment")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def environ(self, workload: Object) -> dict[str, str]:
        """As the container has it."""
        given = image_environment() | environment(OVERLAY, workload)
        del given["PATH"]
        placed = {name: self._placed(workload, value) for name, value in given.items()}
        port = str(self.ports.get(name_of(workload), 0))
        own = {"JDI_HEALTH_PORT": port} | ({"JDI_PORT": port} if "JDI_PORT" in given else {})
        return placed | own | {"PATH": os.environ["PATH"]}

    def _placed(self, workload: Object, value: str) -> str:
        if value.startswith("/run/secrets/"):
            secret, key = secret_at(workload, value)
            return str(self.folder / "mounted" / secret / key)
        for host, here in self.hosts.items():
            value = value.replace(host, here)
        return value

    def start(self, workload: Object) -> None:
        name = name_of(workload)
        with (self.folder / f"{name}.log").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *self.arguments(workload)],
                env=self.environ(workload),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def arguments(self, workload: Object) -> list[str]:
        """The manifest's; the simulated Jira gets fewer issues and a port of its own."""
        swapped = {"8095": str(self.ports.get("simulator")), "1000": str(ISSUES)}
        return [swapped.get(argument, argument) for argument in container_of(workload)["args"]]

    def run(self, workload: Object, *arguments: str) -> str:
        """A command in the environment of a workload, to its end."""
        command = [sys.executable, "-m", *(arguments or self.arguments(workload))]
        done = subprocess.run(command, env=self.environ(workload), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, name: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Status and body, JSON where it is."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}{path}")
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

    def until(self, name: str, what: str, so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not so():
            running = self.processes[name].poll() is None
            if not running or time.monotonic() > deadline:
                pytest.fail(f"{name} is not {what}:\n{self.said(name)[-3000:]}")
            time.sleep(0.05)

    def until_probed(self, workload: Object, probe: str) -> None:
        """Wait until a probe of the manifest is answered as Kubernetes wants it."""
        name, path = name_of(workload), container_of(workload)[probe]["httpGet"]["path"]
        self.until(name, f"well by its {probe}", lambda: self.ask(name, path)[0] == 200)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def stop(self, name: str, seconds: float) -> int:
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes[name].wait(timeout=seconds)


@pytest.fixture
def world(tmp_path: Path, postgres: PostgresServer, temporal: TemporalServer) -> Iterator[World]:
    nats = ShippedNats(tmp_path, secrets_in(tmp_path / "secrets"))
    nats.start()
    found = World(tmp_path, {})
    found.hosts = {
        "temporal-frontend.temporal.svc.cluster.local:7233": temporal.address,
        "simulator:8095": f"127.0.0.1:{found.ports['simulator']}",
    }
    values = {
        "jdi-database": {"url": postgres.fresh_database()},
        "jdi-jira": {"email": EMAIL, "api-token": TOKEN},
        **{f"jdi-nats-{user}": {"url": nats.url(user)} for user in ("ingestor", "telemetry", "notifier")},
    }
    for secret in yaml.safe_load_all((K8S / "secrets.example.yaml").read_text()):
        for key, value in (secret["stringData"] | values.get(name_of(secret), {})).items():
            path = tmp_path / "mounted" / name_of(secret) / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(value)
    namespace(temporal, "create", "--retention", "24h")
    try:
        yield found
    finally:
        for process in found.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        namespace(temporal, "delete", "--yes")
        nats.kill()


def namespace(temporal: TemporalServer, action: str, *options: str) -> None:
    name = environment(OVERLAY, named(OVERLAY, "Deployment", "ingestor"))["TEMPORAL_NAMESPACE"]
    command = [temporal.command[0], "operator", "namespace", action, "--address", temporal.address, "-n", name]
    subprocess.run([*command, *options], check=True, capture_output=True)


def test_the_main_job_runs_from_the_rendered_manifests(world: World) -> None:
    deployments = {name_of(each): each for each in of_kind(OVERLAY, "Deployment")}
    assert set(deployments) == {*SERVICES, "simulator"}
    assert all(Path(path).name for each in workloads(OVERLAY) for path in files_named(OVERLAY, each))
    for each in deployments.values():
        world.start(each)
    for each in deployments.values():
        world.until_probed(each, "startupProbe")
    for name in SERVICES:  # the migration has not run, and nobody takes its place
        status, body = world.ask(name, "/readyz")
        assert status == 503, (name, body)

    (job,) = of_kind(OVERLAY, "Job")
    world.run(job)
    for each in deployments.values():
        world.until_probed(each, "readinessProbe")

    token = world.run(job, "services.cli", "token", "create", "test", "--role", "reader")
    answer: dict[str, Any] = {}

    def synced() -> bool:
        status, body = world.ask("graphql", "/graphql", {"query": QUERY}, token)
        assert status == 200, body
        answer.update(json.loads(body))
        return "errors" not in answer and len(answer["data"]["issues"]["nodes"]) == ISSUES

    world.until("ingestor", "through with the first sync", synced)
    assert {node["key"].partition("-")[0] for node in answer["data"]["issues"]["nodes"]} == {"DEMO"}

    for name, each in deployments.items():
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert world.stop(name, pod_of(each)["terminationGracePeriodSeconds"]) == 0, world.said(name)[-2000:]
        assert world.processes[name].poll() == 0, f"{name} takes longer to stop than its pod is given"
        assert "permissions violation" not in world.said(name).lower(), name
    with psycopg.connect((world.folder / "mounted/jdi-database/url").read_text()) as connection:
        assert connection.execute("SELECT count(*) FROM issue").fetchone() == (ISSUES,)
