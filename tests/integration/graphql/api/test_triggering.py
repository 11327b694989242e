"""`triggerProjectSync` by way of a real Temporal server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from libs.read_tables import migrate, project, sync_job
from libs.runtime import engine, read_database
from libs.temporal import names
from libs.temporal.commands import REFUSED
from libs.temporal.connect import connect
from libs.temporal.messages import Done, RequestSync
from libs.temporal.worker import make_worker
from services.graphql import ingestor
from tests.integration.graphql.conftest import Api, app_over
from tests.servers.addresses import TemporalServer
from tests.unit.made import rows

TRIGGER = """mutation ($p: ID!, $full: Boolean, $accounts: [String!]) {
    triggerProjectSync(projectId: $p, full: $full, accountIds: $accounts) {
        requestId syncJob { id } userErrors { code field message }
    }
}"""


@workflow.defn(name=names.CONTROL_WORKFLOW, sandboxed=False)
class TakesRequests:
    """In the ingestor's place: takes what it is asked for, but for two projects."""

    taken: list[RequestSync] = []  # noqa: RUF012 - the tests look here

    @workflow.run
    async def run(self, message: RequestSync) -> Done:
        if message.project == "GONE":
            details = {"code": "UNKNOWN_PROJECT", "field": "projectId"}
            raise ApplicationError("GONE is not registered", details, type=REFUSED, non_retryable=True)
        if message.project == "FULL":
            raise ApplicationError("the event store is full", type="STORE_FULL", non_retryable=True)
        self.taken.append(message)
        return Done(position=0, request_id=message.command_id)


@pytest.fixture
async def reaching(temporal: TemporalServer, tmp_path: Path) -> AsyncIterator[Api]:
    """The service with a Temporal that answers, and whose control queue nobody serves yet."""
    tables = engine(read_database(f"sqlite:///{tmp_path / 'jdi.db'}"))
    migrate(tables)
    app = app_over(tables, tables, ingestor.Ingestor(temporal.address, "default", lambda: b""))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        yield Api(f"http://127.0.0.1:{runner.addresses[0][1]}", http, tables, tables)
    await runner.cleanup()
    tables.dispose()


@pytest.fixture
async def served(reaching: Api, temporal: TemporalServer) -> AsyncIterator[Api]:
    """The same, with somebody who takes the requests."""
    TakesRequests.taken.clear()
    async with make_worker(await connect(temporal.address), names.CONTROL_QUEUE, workflows=[TakesRequests]):
        yield reaching


async def trigger(api: Api, **variables: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.data(TRIGGER, **variables))["triggerProjectSync"]
    return answer


@pytest.mark.parametrize("reference", ["DEMO", "10000"])
async def test_a_request_reaches_the_ingestor(served: Api, reference: str) -> None:
    served.insert(project, [rows.project()])
    served.insert(sync_job, [rows.job()])
    answer = await trigger(served, p=reference, full=True, accounts=["ann", "ben"])
    (taken,) = TakesRequests.taken
    assert (answer["userErrors"], answer["syncJob"]) == ([], {"id": f"{rows.SITE}:DEMO"})
    assert (taken.site, taken.project, taken.command_id) == (rows.SITE, "DEMO", answer["requestId"])
    assert (taken.full, taken.account_ids) == (True, ("ann", "ben"))
    assert taken.actor


async def test_null_counts_as_not_given(served: Api) -> None:
    served.insert(project, [rows.project()])
    answer = await trigger(served, p="DEMO", full=None, accounts=None)
    assert (answer["userErrors"], answer["syncJob"]) == ([], None)
    assert (TakesRequests.taken[0].full, TakesRequests.taken[0].account_ids) == (False, ())


@pytest.mark.parametrize(("key", "code"), [("GONE", "UNKNOWN_PROJECT"), ("FULL", "REFUSED")])
async def test_what_the_ingestor_refuses_is_told(served: Api, key: str, code: str) -> None:
    served.insert(project, [rows.project(key)])
    answer = await trigger(served, p=key)
    assert (answer["requestId"], answer["userErrors"][0]["code"]) == (None, code)


async def test_two_at_once_are_two_requests(served: Api) -> None:
    served.insert(project, [rows.project()])
    first, second = await asyncio.gather(trigger(served, p="DEMO"), trigger(served, p="DEMO"))
    assert {taken.command_id for taken in TakesRequests.taken} == {first["requestId"], second["requestId"]}


async def test_without_an_ingestor_the_caller_does_not_wait_for_ever(
    reaching: Api, temporal: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestor, "ANSWER_SECONDS", 0.5)
    reaching.insert(project, [rows.project()])
    answer = await trigger(reaching, p="DEMO")
    assert [error["code"] for error in answer["userErrors"]] == ["NO_ANSWER"]
    assert answer["requestId"]
    # Nor does the ingestor of another test find it.
    waiting = names.control_workflow_id(rows.SITE, "DEMO", answer["requestId"])
    await (await connect(temporal.address)).get_workflow_handle(waiting).terminate()
