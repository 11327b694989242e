"""The feeds of worklogs: what they show, how late, in which pages."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset

FEEDS = "/rest/api/3/worklog"


async def feed(jira: httpx.AsyncClient, name: str, since: int = 0) -> dict[str, Any]:
    page: dict[str, Any] = (await jira.get(f"{FEEDS}/{name}", params={"since": since})).json()
    return page


async def at_once(jira: httpx.AsyncClient, *also_deleted: int) -> None:
    """The feeds keep nothing back."""
    await jira.post("/simulator/worklog-feeds", json={"delay_ms": 0, "also_deleted": also_deleted})


async def test_a_feed_shows_nothing_of_its_last_minute(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    worklog = simulator.mutations.add_worklog("10000")
    assert worklog.id not in {one["worklogId"] for one in (await feed(jira, "updated"))["values"]}
    simulator.mutations.delete_worklog("10000", str(worklog.id))
    assert (await feed(jira, "deleted"))["values"] == []
    await at_once(jira)
    assert [one["worklogId"] for one in (await feed(jira, "deleted"))["values"]] == [worklog.id]


async def test_pages_follow_one_another_oldest_first() -> None:
    dataset = Dataset.generate(issues=20, worklogs_per_issue=3)
    async with serve(dataset, feed_page=7) as simulator:
        login = (simulator.email, simulator.token)
        async with httpx.AsyncClient(base_url=simulator.base_url, auth=login) as jira:
            since, seen, last = 0, [], False
            while not last:
                page = await feed(jira, "updated", since)
                assert len(page["values"]) <= 7
                seen += [(one["updatedTime"], one["worklogId"]) for one in page["values"]]
                since, last = page["until"], page["lastPage"]
    there = [(one.updated, one.id) for record in dataset.issues.values() for one in record.worklogs]
    assert seen == sorted(there)


async def test_worklogs_are_read_by_their_ids(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    one, other = simulator.mutations.add_worklog("10000"), simulator.mutations.add_worklog("10001")
    simulator.mutations.restrict_worklog("10001", str(other.id), "Management")
    listed = (await jira.post(f"{FEEDS}/list", json={"ids": [one.id, other.id, 1]})).json()
    assert [(one["id"], one["issueId"]) for one in listed] == [(str(one.id), "10000")]


@pytest.mark.parametrize("ids", [[], list(range(1001))])
async def test_too_many_and_none_are_refused(jira: httpx.AsyncClient, ids: list[int]) -> None:
    assert (await jira.post(f"{FEEDS}/list", json={"ids": ids})).status_code == 400


async def test_a_feed_may_be_wrong(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    worklog = simulator.mutations.add_worklog("10000")
    await at_once(jira, worklog.id)
    assert [one["worklogId"] for one in (await feed(jira, "deleted"))["values"]] == [worklog.id]
    assert len((await jira.post(f"{FEEDS}/list", json={"ids": [worklog.id]})).json()) == 1


async def test_nobody_reads_a_feed_without_a_login(simulator: Simulator) -> None:
    async with httpx.AsyncClient(base_url=simulator.base_url) as jira:
        assert (await jira.get(f"{FEEDS}/deleted")).status_code == 401
