"""Workflows still make the commands that recorded runs made: a run in progress survives an upgrade."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from libs.temporal.connect import DATA_CONVERTER
from libs.temporal.names import WORKFLOWS
from libs.temporal.worker import SANDBOX
from services.ingestor.worker import READING, STEERING
from services.ingestor.workflows import SyncProjectWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def test_there_are_histories_of_every_workflow() -> None:
    names = {path.name.partition("-")[0] for path in HISTORIES}
    assert names == set(WORKFLOWS)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_run_replays(path: Path) -> None:
    replayer = Replayer(
        workflows=[*READING, *STEERING],
        data_converter=DATA_CONVERTER,
        workflow_runner=SANDBOX,
    )
    await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))


async def test_a_changed_order_of_commands_would_be_noticed() -> None:
    path = next(path for path in HISTORIES if path.name.startswith("syncProjectWorkflow"))
    changed = path.read_text().replace('"prepare_scan"', '"another_step"')
    replayer = Replayer(workflows=[SyncProjectWorkflow], data_converter=DATA_CONVERTER, workflow_runner=SANDBOX)
    with pytest.raises(Exception, match=r"another_step|[Nn]ondeterminism|TMPRL1100"):
        await replayer.replay_workflow(WorkflowHistory.from_json("changed", changed))


def test_a_recorded_run_replays_where_traces_are_on_and_is_not_traced_twice() -> None:
    """The end of a run that was still open when it was recorded is new, and is traced."""
    still_open = [path for path in HISTORIES if "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED" in path.read_text()[-400:]]
    assert len(still_open) == 1
    done = subprocess.run([sys.executable, "-m", "tests.replay.traced"], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(len(HISTORIES)), "RunWorkflow:syncProjectWorkflow"], done.stderr
