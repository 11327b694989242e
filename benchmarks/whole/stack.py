"""The embedded stack against a simulated Jira, as the benchmarks start and ask it."""

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

from libs.embedded.ports import choose
from libs.embedded.stack_file import StackFile
from libs.embedded.stack_file import running as running_stack

TOKEN = "token-of-the-bench"  # noqa: S105 - of a stack that lives for a minute

_data_of: dict[str, Path] = {}


def stack_at(url: str) -> StackFile:
    """Addresses and process ids of the stack whose GraphQL is there."""
    found = running_stack(_data_of[url])
    if found is None:
        raise RuntimeError("the stack is gone")
    return found


def data_of(url: str) -> Path:
    """The data folder of that stack."""
    return _data_of[url]


@contextmanager
def simulated_jira(issues: int, *more: str, latency_ms: int = 0) -> Iterator[str]:
    """A simulated Jira in a process of its own, with `more` options of its command; gives its address."""
    command = (sys.executable, "-m", "libs.jira_simulator", "--issues", str(issues), "--exact")
    options = ("--latency-ms", str(latency_ms), "--hot-issues", "0")
    with subprocess.Popen((*command, *options, *more), stdout=subprocess.PIPE, text=True) as process:
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
def stack(jira: str, **settings: str) -> Iterator[tuple[str, float]]:
    """The embedded stack, with settings of one's own; gives its GraphQL address and the moment it was ready."""
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
            "JDI_PORT": str(choose(["graphql"], {})["graphql"]),
            "JDI_ADMIN_TOKEN": TOKEN,
            **settings,
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
                ask(found.graphql_url, "{ projects { key } }")
            except httpx.HTTPError:
                pass
            else:
                _data_of[found.graphql_url] = data
                return found.graphql_url
        time.sleep(0.01)
    raise RuntimeError("the stack did not become ready")


def ask(url: str, query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(f"{url.removesuffix('/graphql')}/graphql", json={"query": query}, headers=headers, timeout=30)
    answer.raise_for_status()
    data: dict[str, Any] = answer.json()["data"]
    return data


def until_visible(url: str, rows: int, timeout: float = 90) -> float:
    """Wait until GraphQL shows the end of the first sync; gives the moment."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = states(url)
        if found and all(state["status"] == "SUCCESS" for state in found.values()):
            if found["issue"]["rows"] != rows:
                raise RuntimeError(f"{found['issue']['rows']} issues instead of {rows}")
            return time.perf_counter()
        time.sleep(0.02)
    raise RuntimeError("the sync did not end in time")


def states(url: str) -> dict[str, dict[str, Any]]:
    try:
        data = ask(url, '{ syncStates(projectId: "DEMO") { entity status rows lastSyncTime } }')
    except httpx.HTTPError:
        return {}
    return {state["entity"]: state for state in (data or {}).get("syncStates", [])}


def trigger(url: str, *, full: bool) -> None:
    """Trigger, and wait until GraphQL shows the success of that run."""
    before = states(url)["issue"]["lastSyncTime"]
    wanted = "true" if full else "false"
    ask(url, f'mutation {{ triggerProjectSync(projectId: "DEMO", full: {wanted}) {{ requestId }} }}')
    until_synced_again(url, before)


def until_synced_again(url: str, before: str, look_seconds: float = 0.02) -> None:
    """Wait until GraphQL shows the success of a run after the one that ended at `before`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = states(url)["issue"]
        if state["status"] == "SUCCESS" and state["lastSyncTime"] != before:
            return
        time.sleep(look_seconds)
    raise RuntimeError("the triggered sync did not end in time")
