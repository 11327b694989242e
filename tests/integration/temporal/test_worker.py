"""What a worker does at its start."""

from __future__ import annotations

import pytest
import temporalio.worker._worker
from temporalio import activity

from libs.temporal.connect import connect
from libs.temporal.worker import make_worker
from tests.servers.addresses import TemporalServer


@activity.defn
async def nothing() -> None:
    pass


async def test_it_reads_no_modules_to_name_its_build(temporal: TemporalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> str:
        raise AssertionError("it reads the code of every module")

    monkeypatch.setattr(temporalio.worker._worker, "load_default_build_id", read)
    async with make_worker(await connect(temporal.address), "named", activities=[nothing]) as worker:
        assert worker.task_queue == "named"
