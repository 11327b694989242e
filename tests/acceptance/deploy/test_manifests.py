"""The manifests mean what they say: every container command of an overlay, as a process of this machine."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.deploy.pods import OVERLAY, Pods, laid_out
from tests.deploy.manifests import SERVICES, environment, name_of, named, of_kind, pod_of, workloads
from tests.deploy.test_k8s import files_named
from tests.servers.addresses import PostgresServer, TemporalServer

ISSUES = 40
QUERY = '{ issues(projectId: "DEMO", first: 100) { nodes { key } } syncStates(projectId: "DEMO") { status } }'


@pytest.fixture
def pods(tmp_path: Path, postgres: PostgresServer, temporal: TemporalServer) -> Iterator[Pods]:
    namespace = environment(OVERLAY, named(OVERLAY, "Deployment", "ingestor"))["TEMPORAL_NAMESPACE"]
    with laid_out(tmp_path, postgres, temporal, namespace) as found:
        port = found.ports["simulator"]
        found.hosts["simulator:8095"] = f"127.0.0.1:{port}"
        found.arguments = {"8095": str(port), "1000": str(ISSUES)}
        yield found


def test_the_main_job_runs_from_the_rendered_manifests(pods: Pods) -> None:
    deployments = {name_of(each): each for each in of_kind(OVERLAY, "Deployment")}
    assert set(deployments) == {*SERVICES, "simulator"}
    assert all(Path(path).name for each in workloads(OVERLAY) for path in files_named(OVERLAY, each))
    for each in deployments.values():
        pods.start(each)
    for each in deployments.values():
        pods.until_probed(each, "startupProbe")
    for name in SERVICES:  # the migration has not run, and nobody takes its place
        status, body = pods.ask(name, "/readyz")
        assert status == 503, (name, body)

    (job,) = of_kind(OVERLAY, "Job")
    pods.run(job)
    for each in deployments.values():
        pods.until_probed(each, "readinessProbe")

    token = pods.run(job, "services.cli", "token", "create", "test", "--role", "reader")
    answer: dict[str, Any] = {}

    def synced() -> bool:
        status, body = pods.ask("graphql", "/graphql", {"query": QUERY}, token)
        assert status == 200, body
        answer.update(json.loads(body))
        return "errors" not in answer and len(answer["data"]["issues"]["nodes"]) == ISSUES

    pods.until("ingestor", synced)
    assert {node["key"].partition("-")[0] for node in answer["data"]["issues"]["nodes"]} == {"DEMO"}

    for name, each in deployments.items():
        pods.signal(name, signal.SIGTERM)
        code = pods.ended(name, pod_of(each)["terminationGracePeriodSeconds"])
        assert code is not None, f"{name} takes longer to stop than its pod is given"
        assert code == 0, pods.said(name)[-2000:]
        assert "permissions violation" not in pods.said(name).lower(), name
    with psycopg.connect(pods.database) as connection:
        assert connection.execute("SELECT count(*) FROM issue").fetchone() == (ISSUES,)
