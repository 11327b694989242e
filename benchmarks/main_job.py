"""The main job on the embedded stack: from a trigger to the last row in GraphQL.

The sync of 1,000 issues, 3,000 comments and 2,000 worklogs at 50 ms latency is set against the floor that any reader of
this Jira has: the same requests, six at a time, with nothing done with the answers.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.rows import Row
from libs.embedded.stack_file import running as running_stack
from libs.jira_client import JiraClient, JiraSettings

TOKEN = "token-of-the-bench"  # noqa: S105 - of a stack that lives for a minute
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


data_of: dict[str, Path] = {}


def _resident(url: str) -> float:
    found = running_stack(data_of[url])
    if found is None:
        raise RuntimeError("the stack is gone")
    status = Path(f"/proc/{found.pids['ingestor']}/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    if peak is None:
        raise RuntimeError("the ingestor is gone")
    return int(peak[1]) / 1000


@contextmanager
def simulated_jira(issues: int, *, latency_ms: int) -> Iterator[str]:
    command = (sys.executable, "-m", "libs.jira_simulator", "--issues", str(issues), "--exact")
    options = ("--latency-ms", str(latency_ms), "--hot-issues", "0")
    with subprocess.Popen((*command, *options), stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found is None:
            process.kill()
            raise RuntimeError(f"the simulated Jira did not start: {line}")
        try:
            yield found[0]
        finally:
            process.terminate()


@contextmanager
def stack(jira: str, **more: str) -> Iterator[tuple[str, float]]:
    """The embedded stack, with more in its environment; gives its GraphQL address and the moment it was ready."""
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as folder:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "JIRA_BASE_URL": jira,
            "JIRA_SITE": "acme",
            "JIRA_EMAIL": "sync@example.com",
            "JIRA_API_TOKEN": "simulated-token",
            "JIRA_PROJECTS": "DEMO",
            "JIRA_ALLOW_INSECURE": "1",
            "JDI_DATA_DIR": folder,
            "JDI_PORT": "0",
            "JDI_ADMIN_TOKEN": TOKEN,
            **more,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "up"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = _ready(Path(folder))
            yield url, time.perf_counter()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _ready(data: Path) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = running_stack(data)
        if found is not None:
            try:
                _ask(found.graphql_url, "{ projects { key } }")
            except httpx.HTTPError:
                pass
            else:
                data_of[found.graphql_url] = data
                return found.graphql_url
        time.sleep(0.01)
    raise RuntimeError("the stack did not become ready")


def _ask(url: str, query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(f"{url.removesuffix('/graphql')}/graphql", json={"query": query}, headers=headers, timeout=30)
    answer.raise_for_status()
    data: dict[str, Any] = answer.json()["data"]
    return data


def until_visible(url: str, rows: int, timeout: float = 90) -> float:
    """Wait until GraphQL shows the end of the first sync; gives the moment."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        states = _states(url)
        if states and all(state["status"] == "SUCCESS" for state in states.values()):
            if states["issue"]["rows"] != rows:
                raise RuntimeError(f"{states['issue']['rows']} issues instead of {rows}")
            return time.perf_counter()
        time.sleep(0.02)
    raise RuntimeError("the sync did not end in time")


def _states(url: str) -> dict[str, dict[str, Any]]:
    try:
        data = _ask(url, '{ syncStates(projectId: "DEMO") { entity status rows lastSyncTime } }')
    except httpx.HTTPError:
        return {}
    return {state["entity"]: state for state in (data or {}).get("syncStates", [])}


def trigger(url: str, *, full: bool) -> None:
    """Trigger, and wait until GraphQL shows the success of that run."""
    before = _states(url)["issue"]["lastSyncTime"]
    wanted = "true" if full else "false"
    _ask(url, f'mutation {{ triggerProjectSync(projectId: "DEMO", full: {wanted}) {{ requestId }} }}')
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = _states(url)["issue"]
        if state["status"] == "SUCCESS" and state["lastSyncTime"] != before:
            return
        time.sleep(0.02)
    raise RuntimeError("the triggered sync did not end in time")


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
