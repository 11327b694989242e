"""What there is to choose from is asked from Jira by way of the ingestor, and what Jira refuses is said clearly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from libs.events import Append, EventStore
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.commands import CommandRefusedError, JiraRefusedError, ask_jira, open_gate
from libs.temporal.messages import FindClosings, FindLateness, FindProjects, FindUsers, OpenGate
from services.ingestor.checkpoints import late_checkpoints
from services.ingestor.control.discovery import USERS_SHOWN
from services.ingestor.sync.lateness.measuring import lateness
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer, sqlite_log


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """Nothing here depends on the database."""
    return sqlite_log(tmp_path)


@pytest.fixture
async def pipeline(store: EventStore, temporal: TemporalServer) -> AsyncIterator[tuple[Pipeline, Simulator]]:
    async with (
        serve(Dataset.generate(issues=5)) as simulator,
        running(store, temporal.address, simulator) as made,
    ):
        yield made, simulator


async def test_projects_are_found_by_name_or_key(pipeline: tuple[Pipeline, Simulator]) -> None:
    asked, jira = pipeline
    everything = await ask_jira(asked.client, FindProjects(site=asked.site))
    assert {option.key for option in everything.options} == set(jira.dataset.directory.projects)
    demo = await ask_jira(asked.client, FindProjects(site=asked.site, search="demo"))
    assert "DEMO" in [option.key for option in demo.options]
    assert (await ask_jira(asked.client, FindProjects(site=asked.site, search="no such name"))).options == ()


async def test_people_are_found_by_name_page_by_page(pipeline: tuple[Pipeline, Simulator]) -> None:
    asked, jira = pipeline
    wanted = {
        user.account_id
        for user in jira.dataset.directory.users.values()
        if user.active and user.account_type == "atlassian"
    }
    found: list[str] = []
    start: int | None = 0
    while start is not None:
        page = await ask_jira(asked.client, FindUsers(site=asked.site, project="DEMO", start=start))
        assert len(page.options) <= USERS_SHOWN
        found += [option.id for option in page.options]
        start = page.next_start
    assert len(found) == len(set(found))
    assert set(found) == wanted
    person = jira.dataset.directory.users[found[0]]
    named = await ask_jira(asked.client, FindUsers(site=asked.site, project="DEMO", search=person.display_name))
    assert person.account_id in [option.id for option in named.options]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, "", "FORBIDDEN"),
        (401, "", "AUTH_EXPIRED"),
        (403, "Tenant is restricted: suspended-payment", "SUSPENDED_PAYMENT"),
    ],
)
async def test_what_jira_refuses_is_said_with_an_advice(
    pipeline: tuple[Pipeline, Simulator], status: int, body: str, code: str
) -> None:
    asked, jira = pipeline
    jira.faults.add(Fault(match="/project/search", always=True, status=status, body=body))
    with pytest.raises(JiraRefusedError) as refused:
        await ask_jira(asked.client, FindProjects(site=asked.site))
    assert refused.value.code == code
    assert refused.value.advice


async def test_people_of_a_project_that_jira_does_not_show(pipeline: tuple[Pipeline, Simulator]) -> None:
    asked, _ = pipeline
    with pytest.raises(JiraRefusedError) as refused:
        await ask_jira(asked.client, FindUsers(site=asked.site, project="NOPE"))
    assert refused.value.code == "NOT_FOUND_OR_HIDDEN"


async def test_how_late_the_search_is_is_told_of_all_projects_of_the_site(pipeline: tuple[Pipeline, Simulator]) -> None:
    asked, _ = pipeline
    for project, late in (("DEMO", [10.0, 700.0]), ("SHOP", [20.0])):
        name = f"{late_checkpoints(asked.site)}{project}"
        asked.store.append(Append(checkpoints={name: msgspec.json.encode(lateness(late))}))
    found = (await ask_jira(asked.client, FindLateness(site=asked.site))).lateness
    assert found is not None
    assert {one.up_to_seconds: one.number for one in found.buckets if one.number} == {30: 2, 900: 1}
    assert (found.latest_seconds, found.overlap_seconds) == (700.0, 900.0)


async def test_what_is_closed_is_told_and_opened_by_hand(pipeline: tuple[Pipeline, Simulator]) -> None:
    asked, jira = pipeline
    site = asked.site
    assert (await ask_jira(asked.client, FindClosings(site=site))).closings == ()
    jira.faults.add(Fault(match="/project/search", times=1, status=429, headers={"Retry-After": "300"}))
    for _ in range(2):
        with pytest.raises(JiraRefusedError) as refused:
            await ask_jira(asked.client, FindProjects(site=site))
        assert refused.value.code == "RATE_LIMIT"
    (closing,) = (await ask_jira(asked.client, FindClosings(site=site))).closings
    assert (closing.endpoint, closing.code) == (None, "RATE_LIMIT")
    assert closing.until is not None
    assert 200 < (closing.until - datetime.now(UTC)).total_seconds() <= 300

    opened = await open_gate(asked.sender, OpenGate(site=site, endpoint=None, actor="ann", reason="Jira is well"))
    assert opened.closings == ()
    assert (await ask_jira(asked.client, FindProjects(site=site))).options
    with pytest.raises(CommandRefusedError) as again:
        await open_gate(asked.sender, OpenGate(site=site, endpoint=None, actor="ann"))
    assert (again.value.code, again.value.field) == ("NOT_CLOSED", "endpoint")
