"""The bare script: reads all issues of a simulated Jira, several requests at a time, and throws the answers away.

What any reader of this Jira needs at least: `python -m benchmarks.whole.bare http://127.0.0.1:8095` prints the seconds
it took, its CPU seconds and its peak of memory in MB.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from typing import NamedTuple

import httpx

IN_FLIGHT = 6
"""As many as a full sync has."""


class Cost(NamedTuple):
    """Of reading everything once."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def bare(jira: str) -> Cost:
    """In a process of its own."""
    said = subprocess.check_output([sys.executable, "-m", "benchmarks.whole.bare", jira], text=True)
    return Cost(*map(float, said.split()))


async def _read(jira: str) -> float:
    slots = asyncio.Semaphore(IN_FLIGHT)
    login = httpx.BasicAuth("sync@example.com", "simulated-token")
    async with httpx.AsyncClient(base_url=jira, auth=login, timeout=60) as client:

        async def page(ids: list[str]) -> None:
            async with slots:
                asked = {"issueIdsOrKeys": ids, "fields": ["*all", "comment", "worklog"]}
                (await client.post("/rest/api/3/issue/bulkfetch", json=asked)).raise_for_status()

        began = time.perf_counter()
        ids = await _ids(client)
        await asyncio.gather(*(page(ids[start : start + 100]) for start in range(0, len(ids), 100)))
        return time.perf_counter() - began


async def _ids(client: httpx.AsyncClient) -> list[str]:
    ids: list[str] = []
    asked = {"jql": 'project = "DEMO" ORDER BY key ASC', "maxResults": 5000, "fields": ["id"]}
    while True:
        answer = (await client.post("/rest/api/3/search/jql", json=asked)).raise_for_status().json()
        ids += [issue["id"] for issue in answer["issues"]]
        if not (token := answer.get("nextPageToken")):
            return ids
        asked["nextPageToken"] = token


if __name__ == "__main__":
    took = asyncio.run(_read(sys.argv[1]))
    print(took, time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
