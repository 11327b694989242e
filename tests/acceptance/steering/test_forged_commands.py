"""To reach Temporal is no authority: a message in it that none of us gave changes nothing, and people are told."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from temporalio.client import Client, WorkflowFailureError

from libs.events import EventStore, SyncEvent, command_key
from libs.jira_simulator.faults import Fault
from libs.temporal import names
from libs.temporal.commands import CommandRefusedError, JiraRefusedError, ask_jira, open_gate
from libs.temporal.messages import (
    AnyCommand,
    Command,
    Done,
    FindClosings,
    FindProjects,
    OpenGate,
    Options,
    PauseSync,
    ResumeSync,
)
from libs.temporal.proof import NO_PROOF, WRONG_PROOF, sealed
from tests.acceptance.steering.console import Console, console_over
from tests.eventually import until
from tests.servers.addresses import TemporalServer, sqlite_log

ALERTS = "{ alerts { id code status severity message } }"


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture
async def console(store: EventStore, temporal: TemporalServer) -> AsyncIterator[Console]:
    async with console_over(store, temporal.address) as running:
        await running.desk.register()
        await running.desk.pipeline.ended(None)
        yield running


def command_of(kind: type[Command], console: Console) -> Command:
    """One with something in every field that it must have."""
    given: dict[str, Any] = {
        "type": kind.__struct_config__.tag,
        "site": console.desk.pipeline.site,
        "project": "DEMO",
        "command_id": uuid.uuid4().hex,
        "actor": "admin",
    }
    examples = {"cron": "* * * * *", "timezone": "UTC", "until": None, "account_ids": (), "anchor": datetime.now(UTC)}
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in given and field.required:
            numbers = {"level", "failures", "seconds", "settled"}
            given[field.encode_name] = examples.get(field.name, 1 if field.encode_name in numbers else "x")
    return msgspec.convert(given, AnyCommand)  # type: ignore[no-any-return]


async def put(client: Client, workflow: str, message: Any, result: type, workflow_id: str = "") -> Any:
    """Write into Temporal as anybody can who reaches it."""
    return await client.execute_workflow(
        workflow,
        message,
        id=workflow_id or f"control:{uuid.uuid4().hex}",
        task_queue=names.CONTROL_QUEUE,
        result_type=result,
    )


async def refused(client: Client, workflow: str, message: Any, result: type = Done) -> str:
    """What the ingestor says to a message that it does not believe."""
    with pytest.raises(WorkflowFailureError) as caught:
        await put(client, workflow, message, result)
    error: Any = caught.value.cause
    assert error.cause.details[0]["code"] == "FORGED_COMMAND"
    return str(error.cause)


async def test_a_forged_command_changes_nothing_and_is_told(console: Console) -> None:
    desk, client = console.desk, console.desk.pipeline.client
    store, schedule = desk.pipeline.store, (await desk.described()).schedule
    before = store.head()
    said = [
        await refused(client, names.CONTROL_WORKFLOW, sealed(command, b"guess") if number % 2 else command)
        for number, command in enumerate(command_of(kind, console) for kind in get_args(AnyCommand))
    ]
    assert [reason for text in said for reason in (NO_PROOF, WRONG_PROOF) if reason in text] == [
        WRONG_PROOF if number % 2 else NO_PROOF for number in range(len(get_args(AnyCommand)))
    ]
    assert (await desk.described()).schedule == schedule
    # Where this takes a minute, the schedule has had its turn.
    stored = [recorded for recorded in store.read(before) if not isinstance(recorded.event, SyncEvent)]
    assert [(recorded.topic, recorded.event.cause) for recorded in stored] == [("AlertRaised.v1", "ingestor")]
    (alert,) = (await until(lambda: console.data(ALERTS), lambda data: data["alerts"]))["alerts"]
    assert (alert["code"], alert["status"], alert["severity"]) == ("FORGED_COMMAND", "OPEN", "critical")
    assert "'admin'" in alert["message"]

    for change, status in (("acknowledgeAlert", "ACKNOWLEDGED"), ("resolveAlert", "RESOLVED")):
        mutation = f'mutation {{ {change}(id: "{alert["id"]}") {{ alert {{ status }} userErrors {{ message }} }} }}'
        assert (await console.data(mutation))[change] == {"alert": {"status": status}, "userErrors": []}
    await refused(client, names.CONTROL_WORKFLOW, command_of(PauseSync, console))
    await until(lambda: console.data(ALERTS), lambda data: len(data["alerts"]) == 2)


async def test_a_command_that_was_given_is_worth_nothing_in_other_hands(console: Console) -> None:
    desk, client = console.desk, console.desk.pipeline.client
    store, site = desk.pipeline.store, desk.pipeline.site
    await desk.do(PauseSync, command_id="p-1")
    handle = client.get_workflow_handle(names.control_workflow_id(site, "DEMO", "p-1"))
    begun = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    read = msgspec.json.decode(begun.input.payloads[0].data, type=AnyCommand)
    await desk.do(ResumeSync)
    before = store.head()
    await refused(client, names.CONTROL_WORKFLOW, msgspec.structs.replace(read, actor="eve"))
    await refused(client, names.CONTROL_WORKFLOW, msgspec.structs.replace(read, command_id="p-2"))
    await refused(client, names.CONTROL_WORKFLOW, ResumeSync(**{**msgspec.structs.asdict(read), "command_id": "p-3"}))
    await put(client, names.CONTROL_WORKFLOW, read, Done)
    assert [recorded.topic for recorded in store.read(before)] == ["AlertRaised.v1"]
    assert not desk.state().paused
    assert not (await desk.described()).schedule.state.paused


async def test_the_gate_is_opened_by_those_who_may_and_once(console: Console) -> None:
    pipeline, jira = console.desk.pipeline, console.jira
    client, site = pipeline.client, pipeline.site

    async def closed() -> None:
        jira.faults.add(Fault(match="/project/search", times=1, status=429, headers={"Retry-After": "300"}))
        with pytest.raises(JiraRefusedError):
            await ask_jira(client, FindProjects(site=site))
        assert (await ask_jira(client, FindClosings(site=site))).closings

    await closed()
    request = OpenGate(site=site, endpoint=None, actor="admin", command_id="o-1")
    await refused(client, names.DISCOVERY_WORKFLOW, request, Options)
    await refused(client, names.DISCOVERY_WORKFLOW, sealed(request, b"guess"), Options)
    given = sealed(request, command_key(pipeline.store))
    assert (await put(client, names.DISCOVERY_WORKFLOW, given, Options)).closings == ()
    await closed()
    assert (await put(client, names.DISCOVERY_WORKFLOW, given, Options)).closings
    assert (await open_gate(pipeline.sender, OpenGate(site=site, endpoint=None, actor="ann"))).closings == ()
    with pytest.raises(CommandRefusedError, match="Nothing is closed"):
        await open_gate(pipeline.sender, OpenGate(site=site, endpoint=None, actor="ann"))
