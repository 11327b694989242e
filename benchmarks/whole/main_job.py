"""The main job on the embedded stack: from a trigger to the last row in GraphQL.

The sync of 1,000 issues, 3,000 comments and 2,000 worklogs at 50 ms latency is set against the floor that any reader of
this Jira has: the same requests, six at a time, with nothing done with the answers.
"""

import asyncio
import time

import httpx

from benchmarks.rows import Row
from benchmarks.whole.processes import peak_mb
from benchmarks.whole.stack import simulated_jira, stack, stack_at, trigger, until_visible
from libs.jira_client import JiraClient, JiraSettings

FIELDS = ("*all", "comment", "worklog")


def run() -> list[Row]:
    rows = _thousand()
    return rows + _ten_thousand()


def _thousand() -> list[Row]:
    with simulated_jira(1000, latency_ms=50) as jira, stack(jira) as (url, _):
        until_visible(url, 1000)
        floor, took, requests = [], [], 0
        for _ in range(3):
            floor.append(asyncio.run(_floor(jira)))
            httpx.delete(f"{jira}/simulator/requests", timeout=60)
            before = httpx.get(f"{jira}/simulator/requests", timeout=60).json()["count"]
            began = time.perf_counter()
            trigger(url, full=True)
            took.append(time.perf_counter() - began)
            requests = httpx.get(f"{jira}/simulator/requests", timeout=60).json()["count"] - before
    with simulated_jira(1000, latency_ms=50) as jira, stack(jira) as (url, started):
        first = until_visible(url, 1000) - started
    seconds = sorted(took)[1]
    bare = sorted(floor)[1]
    return [
        _bounded("1,000 issues: requests of a full sync", requests, "requests", 18),
        _bounded("1,000 issues: trigger to visible, nothing new", seconds, "s", 3.0),
        _bounded("1,000 issues: stack ready to first sync visible", first, "s", 3.0),
        Row("1,000 issues: the bare requests, answers thrown away", bare, "s"),
        Row("1,000 issues: trigger to visible / the bare requests", seconds / bare, "ratio"),
    ]


def _bounded(what: str, value: float, unit: str, bound: float) -> Row:
    """A figure that must not pass a bound."""
    return Row(what, value, unit, bound, ok=value <= bound)


def _ten_thousand() -> list[Row]:
    with simulated_jira(10_000, latency_ms=50) as jira, stack(jira) as (url, started):
        seconds = until_visible(url, 10_000, timeout=120) - started
        resident = _resident(url)
    return [
        _bounded("10,000 issues: stack ready to first sync visible", seconds, "s", 30.0),
        _bounded("10,000 issues: ingestor's peak resident memory", resident, "MB", 200.0),
    ]


def _resident(url: str) -> float:
    return peak_mb(stack_at(url).pids["ingestor"])


async def _floor(jira: str) -> float:
    """The bare requests of a full read, several at a time, answers thrown away."""
    settings = JiraSettings(
        base_url=jira,
        email="sync@example.com",
        token="simulated-token",  # noqa: S106
        allow_insecure=True,
    )
    async with JiraClient(settings) as client:
        began = time.perf_counter()
        await client.verify_credentials()
        ids = (await client.search_ids('project = "DEMO" ORDER BY key ASC')).ids
        slots = asyncio.Semaphore(6)

        async def page(start: int) -> None:
            async with slots:
                await client.bulk_fetch(ids[start : start + 100], FIELDS)

        await asyncio.gather(*(page(start) for start in range(0, len(ids), 100)))
        return time.perf_counter() - began
