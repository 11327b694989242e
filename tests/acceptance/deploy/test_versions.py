"""Workers of two versions side by side, as a Worker Controller has them: Temporal says who begins what."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import WorkerDeploymentVersion

from libs.events import SyncSucceeded, migrate, open_store
from libs.jira_simulator.server import serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.sync.pipeline import running
from tests.eventually import until
from tests.servers.addresses import TemporalServer

NAMESPACE = "versioned"
OLD, NEW = (WorkerDeploymentVersion(deployment_name="jdi/ingestor", build_id=build) for build in ("old", "new"))


async def make_current(client: Client, version: WorkerDeploymentVersion) -> None:
    """Once Temporal has heard from its workers."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=NAMESPACE, deployment_name=version.deployment_name, build_id=version.build_id, identity="test"
    )
    await until(
        lambda: client.workflow_service.set_worker_deployment_current_version(request),
        lambda _: True,
        despite=(RPCError,),
    )


async def until_built_by(build: str, client: Client, run_id: str) -> None:
    """Wait until Temporal says that a run has run on a version."""
    await until(lambda: build_of(client, run_id), lambda found: found == build)


async def build_of(client: Client, run_id: str) -> str:
    async for run in client.list_workflows():
        if run.run_id == run_id:
            raw = (await client.get_workflow_handle(run.id, run_id=run_id).describe()).raw_description
            return raw.workflow_execution_info.versioning_info.deployment_version.build_id
    return "not listed yet"


async def test_new_runs_move_to_the_new_version(tmp_path: Path, temporal: TemporalServer) -> None:
    made = [*("operator", "namespace", "create", "--address", temporal.address), "--namespace", NAMESPACE]
    await asyncio.to_thread(subprocess.run, [temporal.command[0], *made], check=True, capture_output=True)
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    store = open_store(url)
    async with serve(Dataset.generate(issues=5)) as simulator:
        old = running(store, temporal.address, simulator, namespace=NAMESPACE, version=OLD, site="acme")
        new = running(store, temporal.address, simulator, namespace=NAMESPACE, version=NEW, site="acme")
        async with old as first, new as second, asyncio.timeout(120):
            await make_current(first.client, OLD)
            ends = [await first.register()]
            await make_current(first.client, NEW)
            ends.append(await second.sync())
            assert all(isinstance(end, SyncSucceeded) for end in ends)
            for end, build in zip(ends, ("old", "new"), strict=True):
                await until_built_by(build, first.client, end.run_id)
    store.close()
