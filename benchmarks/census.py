"""What a census costs of 100,000 issues of which nothing has changed, on both databases.

The census runs in a process of its own, which has done nothing before but open the log and greet Jira; the simulated
Jira has another. It takes its steps one after the other, without Temporal.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec
from temporalio.testing import ActivityEnvironment

from benchmarks.reading.projected_log import databases
from benchmarks.rows import Row, at_most, within
from benchmarks.whole.stack import simulated_jira
from libs.events import Append, Change, EventStore, JiraIssueFetched, ProjectKey, migrate, open_store
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.server import EMAIL, TOKEN
from libs.temporal.census import BeginCensus, CompareIssues, CompleteCensus, ListIssues, SurveyProject
from services.ingestor.census.activities import CensusActivities
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog

ISSUES = 100_000
FIRST_ID = 10_000
"""The simulated Jira counts from here."""
PROJECT = ProjectKey("bench", "DEMO")
RUN: dict[str, Any] = {"site": PROJECT.site, "project": PROJECT.key, "run_id": "census"}

T = TypeVar("T")


class Cost(msgspec.Struct):
    """Of one census."""

    seconds: float
    cpu_seconds: float
    more_mb: float
    events: int
    end: str


def run() -> list[Row]:
    rows: list[Row] = []
    with simulated_jira(ISSUES, "--comments-per-issue", "0", "--worklogs-per-issue", "0") as jira, databases() as urls:
        for name, url in urls.items():
            _fill(url)
            httpx.delete(f"{jira}/simulator/requests", timeout=60)
            command = (sys.executable, "-m", "benchmarks.census", url, jira)
            cost = msgspec.json.decode(subprocess.check_output(command), type=Cost)
            if cost.end:
                raise RuntimeError(f"the census found something to do: {cost.end}")
            requests = httpx.get(f"{jira}/simulator/requests", timeout=60).json()["count"] - 1  # the greeting
            rows += [
                at_most(f"census of {ISSUES:,} issues, {name}: requests", requests, "requests", 25),
                within(f"census of {ISSUES:,} issues, {name}: CPU", cost.cpu_seconds, 5.0),
                at_most(f"census of {ISSUES:,} issues, {name}: more memory at its peak", cost.more_mb, "MB", 60),
                at_most(f"census of {ISSUES:,} issues, {name}: events", cost.events, "events", 1),
                Row(f"census of {ISSUES:,} issues, {name}", cost.seconds, "s"),
            ]
    return rows


def _fill(url: str) -> None:
    """All issues, as a sync would have stored them."""
    migrate(url)
    store = open_store(url)
    try:
        for page in _pages():
            store.append(Append(changes=page))
        store.append(Append(checkpoints={CheckpointNames(PROJECT).watermarks: b"{}"}))
        store.present(*PROJECT)  # the inventory is caught up, as it is after every sync
    finally:
        store.close()


def _pages() -> Iterator[list[Change]]:
    now = datetime.now(UTC)
    for start in range(FIRST_ID, FIRST_ID + ISSUES, 500):
        yield [
            Change(
                event=JiraIssueFetched(
                    **JiraIssueFetched.envelope(str(id_), PROJECT, occurred_at=now, cause="bench"),
                    issue_id=str(id_),
                    key=f"DEMO-{id_ - FIRST_ID + 1}",
                    sprint_field=None,
                    updated=now,
                    payload=msgspec.Raw(b'{"fields":{"summary":"one of many"}}'),
                ),
                digest=b"digest",
                updated=now,
                asked_at=now,
            )
            for id_ in range(start, start + 500)
        ]


# ── the process that is measured ───────────────────────────────────────────────────────────────────────────────────


async def _taken(store: EventStore, jira: JiraClient) -> Cost:
    log = EventLog(store)
    try:
        await jira.verify_credentials()
        peak, head, cpu, began = _peak_mb(), store.head(), time.process_time(), time.perf_counter()
        end = await _census(CensusActivities(log, jira))
        return Cost(
            seconds=time.perf_counter() - began,
            cpu_seconds=time.process_time() - cpu,
            more_mb=_peak_mb() - peak,
            events=store.head() - head,
            end=end,
        )
    finally:
        log.close()


async def _census(steps: CensusActivities) -> str:
    """The steps as the workflow orders them; what they found to do, which should be nothing."""

    async def take(step: Any, message: Any) -> Any:
        return await ActivityEnvironment().run(step, message)

    plan = await take(steps.begin_census, BeginCensus(**RUN))
    survey = await take(steps.survey_project, SurveyProject(**RUN, plan=plan))
    done, requests = False, survey.requests
    while not done:
        part = await take(steps.list_issues, ListIssues(**RUN, plan=plan, survey=survey))
        done, requests = part.done, requests + part.requests
    comparison = await take(steps.compare_issues, CompareIssues(**RUN, plan=plan, survey=survey))
    end = CompleteCensus(**RUN, plan=plan, survey=survey, comparison=comparison, requests=requests)
    result = await take(steps.complete_census, end)
    found = comparison.lacking or comparison.missing or comparison.listed != ISSUES or result.brake
    return f"{survey} {comparison} {result}" if found else ""


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _measured(url: str, address: str) -> Cost:
    store = open_store(url)
    settings = JiraSettings(base_url=address, email=EMAIL, token=TOKEN, allow_insecure=True)
    try:
        async with JiraClient(settings) as jira:
            return await _taken(store, jira)
    finally:
        store.close()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_measured(*sys.argv[1:]))))
