"""What first syncs cost, as a table: requests, times, CPU and memory by process, bytes by store; Markdown.

`python -m benchmarks.whole.table --issues 1000 10000 --latency 0 50`. A stack that has come to rest is told to register
the project; times count from the first request that Jira gets. Beside it the bare script, on the same Jira.

An older version is measured by copies of this file and `bare.py` in `benchmarks/whole` of its checkout: of all
else it uses only how a stack is started and asked.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import nats
from nats.js.errors import NotFoundError

from benchmarks.whole.bare import Cost, bare
from benchmarks.whole.processes import cpu_seconds, peak_mb
from benchmarks.whole.stack import ask, simulated_jira, stack, stack_at, states

LOOK = 0.02
"""Looks come when so much of the time that has passed has passed again: the figure is as exact, and costs little."""
SHORTEST_LOOK_SECONDS = 0.02
REST_SECONDS = 8.0
"""Until a stack that has started has nothing left to do."""
LONGEST_SECONDS = 3600.0
STORES = {"log": "jdi.db*", "tables": "jdi-read.db*", "stream": "nats/**/*"}
"""Files of the data folder."""


class FirstSync(NamedTuple):
    """What one first sync has cost."""

    issues: int
    latency_ms: int
    requests: int
    visible: float
    """Seconds from Jira's first request until GraphQL shows the end."""
    complete: float
    """Until NATS holds all events."""
    events: int
    cpu: dict[str, float]
    """Seconds by process, from before the registration until a second after all was complete."""
    peak_mb: dict[str, float]
    stored: dict[str, int]
    """Bytes by store, once the stack was stopped."""
    bare: Cost


def first_sync(issues: int, latency_ms: int) -> FirstSync:
    """Measure one, and the bare script after it."""
    with simulated_jira(issues, latency_ms=latency_ms) as jira:
        with stack(jira, JIRA_PROJECTS="") as (url, _):
            time.sleep(REST_SECONDS)
            at, folder = stack_at(url), Path(stack_at(url).database_url.removeprefix("sqlite:///")).parent
            processes = _processes(at.pids)
            before = {name: cpu_seconds(pid) for name, pid in processes.items()}
            httpx.delete(f"{jira}/simulator/requests", timeout=60)
            asked_at = time.time()
            ask(url, 'mutation { registerProject(key: "DEMO", cron: "0 0 1 1 *") { userErrors { message } } }')
            visible = _when(lambda: _is_visible(url, issues), asked_at)
            complete = asyncio.run(_complete(at.nats_url, folder / "jdi.db", asked_at))
            time.sleep(1)
            spent = {name: cpu_seconds(pid) - before[name] for name, pid in processes.items()}
            most = {name: peak_mb(pid) for name, pid in processes.items()}
            events = _head(folder / "jdi.db")
            requests, first = _asked(jira)
            # What was stored is counted while the files are there: the folder goes with the stack.
            stored = _stored(folder)
        return FirstSync(
            issues, latency_ms, requests, visible - first, complete - first, events, spent, most, stored, bare(jira)
        )


def _processes(pids: dict[str, int]) -> dict[str, int]:
    """By name; services that share one are named together. Without the command that keeps them."""
    named: dict[int, list[str]] = {}
    for name, pid in pids.items():
        named.setdefault(pid, []).append(name)
    return {"+".join(names): pid for pid, names in named.items() if names != ["jdi"]}


def _when(happened: Callable[[], bool], since: float) -> float:
    """The moment at which it was seen first.

    Raises:
        TimeoutError: it was not, for an hour.
    """
    while not happened():
        waited = time.time() - since
        if waited > LONGEST_SECONDS:
            raise TimeoutError("the first sync did not end within an hour")
        time.sleep(max(SHORTEST_LOOK_SECONDS, waited * LOOK))
    return time.time()


def _is_visible(url: str, issues: int) -> bool:
    found = states(url)
    ended = bool(found) and all(state["status"] == "SUCCESS" for state in found.values())
    if ended and found["issue"]["rows"] != issues:
        raise RuntimeError(f"{found['issue']['rows']} issues instead of {issues}")
    return ended


async def _complete(nats_url: str, log: Path, since: float) -> float:
    """The moment at which the stream holds all that the log holds."""
    client = await nats.connect(nats_url)
    jetstream, head = client.jetstream(), _head(log)
    try:
        while True:
            try:
                state = (await jetstream.stream_info("JIRA")).state
            except NotFoundError:
                state = None
            if state is not None and state.last_seq >= head:
                return time.time()
            await asyncio.sleep(max(SHORTEST_LOOK_SECONDS, (time.time() - since) * LOOK))
    finally:
        await client.close()


def _head(log: Path) -> int:
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT max(rowid) FROM stored_events").fetchone()[0])


def _asked(jira: str) -> tuple[int, float]:
    """How many requests Jira got, and when the first began."""
    told = httpx.get(f"{jira}/simulator/requests", timeout=60).json()
    begins = [
        datetime.fromisoformat(each["at"]).timestamp() - each["milliseconds"] / 1000 for each in told["log"][:100]
    ]
    return int(told["count"]), min(begins)


def _stored(folder: Path) -> dict[str, int]:
    """Bytes by store; what waits in a database's journal is written to its file before."""
    for name in ("jdi.db", "jdi-read.db"):
        with closing(sqlite3.connect(folder / name, timeout=60)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        store: sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
        for store, pattern in STORES.items()
    }


# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────────────


def markdown(measured: Sequence[FirstSync]) -> str:
    """A column for each sync."""
    lines: list[tuple[str, Callable[[FirstSync], str]]] = [
        ("requests to Jira", lambda of: f"{of.requests:,}"),
        ("events", lambda of: f"{of.events:,}"),
        ("first request to visible in GraphQL", lambda of: f"{of.visible:.2f} s"),
        ("first request to complete in NATS", lambda of: f"{of.complete:.2f} s"),
        ("the bare script", lambda of: f"{of.bare.seconds:.2f} s"),
        ("visible / the bare script", lambda of: f"{of.visible / of.bare.seconds:.1f}"),
        ("CPU, all processes", lambda of: f"{sum(of.cpu.values()):.1f} s"),
        *((f"CPU, {name}", _of_process(name)) for name in _names(measured)),
        ("CPU, the bare script", lambda of: f"{of.bare.cpu_seconds:.1f} s"),
        *((f"peak memory, {name}", _peak_of(name)) for name in _names(measured)),
        ("peak memory, the bare script", lambda of: f"{of.bare.peak_mb:.0f} MB"),
        *((f"{store}, an issue", _bytes_in(store)) for store in STORES),
        ("all stores, an issue", lambda of: f"{sum(of.stored.values()) / of.issues / 1000:.2f} kB"),
    ]
    head = ["", *(f"{of.issues:,} at {of.latency_ms} ms" for of in measured)]
    rows = [head, ["---"] * len(head), *([what, *map(figure, measured)] for what, figure in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _names(measured: Sequence[FirstSync]) -> list[str]:
    return sorted({name for of in measured for name in of.cpu})


def _of_process(name: str) -> Callable[[FirstSync], str]:
    return lambda of: f"{of.cpu[name]:.1f} s"


def _peak_of(name: str) -> Callable[[FirstSync], str]:
    return lambda of: f"{of.peak_mb[name]:.0f} MB"


def _bytes_in(store: str) -> Callable[[FirstSync], str]:
    return lambda of: f"{of.stored[store] / of.issues / 1000:.2f} kB"


def main(arguments: Sequence[str]) -> None:
    line = argparse.ArgumentParser(prog="python -m benchmarks.whole.table", description=__doc__)
    line.add_argument("--issues", type=int, nargs="+", default=[1000, 10_000, 100_000])
    line.add_argument("--latency", type=int, nargs="+", default=[0, 50], help="milliseconds of each answer")
    asked = line.parse_args(arguments)
    measured = []
    for issues in asked.issues:
        for latency_ms in asked.latency:
            measured.append(first_sync(issues, latency_ms))
            sys.stderr.write(f"{measured[-1]}\n")
    print(markdown(measured))


if __name__ == "__main__":
    main(sys.argv[1:])
