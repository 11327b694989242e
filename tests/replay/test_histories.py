"""Workflows still make the commands that recorded runs made: a run in progress survives an upgrade."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from libs.temporal.connect import DATA_CONVERTER
from libs.temporal.worker import SANDBOX
from services.ingestor.workflows import AskJiraWorkflow, ControlProjectWorkflow, SyncProjectWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def test_there_are_histories_of_every_workflow() -> None:
    names = {path.name.partition("-")[0] for path in HISTORIES}
    assert names == {"syncProjectWorkflow", "controlProjectWorkflow", "askJiraWorkflow"}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_run_replays(path: Path) -> None:
    replayer = Replayer(
        workflows=[SyncProjectWorkflow, ControlProjectWorkflow, AskJiraWorkflow],
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
