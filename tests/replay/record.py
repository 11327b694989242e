"""Record histories for the replay test: `python -m tests.replay.record`.

Run it when a workflow's commands changed on purpose, after the change was made safe for runs in progress
(`workflow.patched`). The histories of older versions stay: they stand for runs that are still open somewhere.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from libs.events import Append, SyncSucceeded, migrate, open_store
from libs.events.hints import Hint, stored_hint
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.commands import ask_jira, take_up_hints
from libs.temporal.messages import (
    FindProjects,
    PauseSync,
    RescheduleSync,
    SetTrackedUsers,
    StartSync,
    UnregisterProject,
)
from libs.temporal.names import hints_workflow_id, schedule_id
from services.ingestor.hints.budget import Budget
from services.ingestor.hints.fetching import budget_checkpoint
from tests.acceptance.steering.control import Desk
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer

HISTORIES = Path(__file__).parent / "histories"


async def record(folder: Path) -> None:
    """Run every kind of sync once, and keep the histories of all workflows."""
    temporal = TemporalServer(folder)
    temporal.start()
    url = f"sqlite:///{folder / 'jdi.db'}"
    migrate(url)
    store = open_store(url)
    try:
        async with (
            serve(Dataset.generate(issues=250)) as jira,
            running(store, temporal.address, jira) as pipeline,
        ):
            await _every_kind(pipeline, jira)
            await _keep(pipeline)
    finally:
        store.close()
        temporal.kill()


async def _every_kind(pipeline: Pipeline, jira: Simulator) -> None:
    await pipeline.register()
    await pipeline.sync()
    await _unasked(pipeline)
    jira.mutate(200)
    await pipeline.sync()
    jira.mutate(200)
    await _unasked(pipeline)
    jira.faults.add(Fault(match="/search/jql", always=True, status=410))
    await pipeline.sync()
    jira.faults.clear()
    desk = Desk(pipeline)
    person = next(record.issue.reporter for record in jira.dataset.issues.values())
    for kind, arguments in (
        (PauseSync, {}),
        (StartSync, {}),
        (RescheduleSync, {"cron": "0 3 * * *"}),
        (SetTrackedUsers, {"account_ids": (person,)}),
    ):
        done = await desk.do(kind, **arguments)
        if done.request_id is not None:
            await pipeline.ended(done.request_id)
    await _every_census(pipeline, jira, desk)
    await _hints(pipeline, jira)
    await ask_jira(pipeline.client, FindProjects(site=pipeline.site))
    await desk.do(UnregisterProject)


async def _unasked(pipeline: Pipeline) -> None:
    """A run of the schedule: alone such a one may end with its first step."""
    start = pipeline.store.head()
    schedule = pipeline.client.get_schedule_handle(schedule_id(pipeline.site, pipeline.project))
    while not any(isinstance(one.event, SyncSucceeded) for one in pipeline.store.read(start, 10_000)):
        await schedule.trigger()  # skipped while the run before is about to end
        await asyncio.sleep(2)


async def _every_census(pipeline: Pipeline, jira: Simulator, desk: Desk) -> None:
    """One that finds something gone and something new, one of a project that Jira does not show, one that fails."""
    await desk.do(SetTrackedUsers, account_ids=())
    await pipeline.sync(full=True)
    deleted = next(iter(jira.dataset.issues.values())).issue.key
    jira.mutations.delete_issue(deleted)
    jira.mutations.create_issue("DEMO")
    await pipeline.prove()
    jira.mutations.hide_project("DEMO")
    await pipeline.prove()
    jira.mutations.show_project("DEMO")
    jira.faults.add(Fault(match="/search/jql", always=True, status=410))
    await pipeline.prove()
    jira.faults.clear()


async def _hints(pipeline: Pipeline, jira: Simulator) -> None:
    """A round that looks a second time at what nobody told of, and one that waits for its budget."""
    issue, record = next((one, record) for one, record in jira.dataset.issues.items() if record.comments)
    jira.mutations.delete_comment(str(issue), str(record.comments[0].id))
    await _hint(pipeline, str(issue), Budget(at=datetime.now(UTC)))
    await _hint(pipeline, str(issue), Budget(requests=-1.0, at=datetime.now(UTC)))


async def _hint(pipeline: Pipeline, issue: str, budget: Budget) -> None:
    """A hint, and the end of the run that takes it up."""
    hint = Hint(issue=issue, project=pipeline.project, at=datetime.now(UTC))
    left = {budget_checkpoint(pipeline.site): msgspec.json.encode(budget)}
    append = Append(checkpoints=dict([stored_hint(pipeline.site, hint)]) | left)
    await asyncio.to_thread(pipeline.store.append, append)
    await take_up_hints(pipeline.client, pipeline.site)
    await pipeline.client.get_workflow_handle(hints_workflow_id(pipeline.site)).result()


async def _keep(pipeline: Pipeline) -> None:
    HISTORIES.mkdir(exist_ok=True)
    numbers: dict[str, int] = {}
    async for run in pipeline.client.list_workflows():
        name = run.workflow_type
        history = await pipeline.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        numbers[name] = numbers.get(name, len(list(HISTORIES.glob(f"{name}-*.json")))) + 1
        (HISTORIES / f"{name}-{numbers[name]}.json").write_text(anonymous(history.to_json()) + "\n")


def anonymous(history: str) -> str:
    """Without what names this machine: stacks hold paths; identities and names of sticky queues hold the host."""
    return json.dumps(_scrubbed(json.loads(history)), indent=1)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "" if key == "stackTrace" else _scrubbed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner) for inner in value]
    return re.sub(r"\d+@[\w.-]+", "recorded", value) if isinstance(value, str) else value


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as given:
        asyncio.run(record(Path(given)))
    sys.stdout.write(f"{len(list(HISTORIES.glob('*.json')))} histories in {HISTORIES}\n")
