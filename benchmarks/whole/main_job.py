"""The main job on the embedded stack as it ships: first syncs of 1,000 to 100,000 issues, and a full one after.

Times count from the first request to Jira, on a stack that had nothing to do; beside each the bare script that only
fetches. Of several first syncs the best counts: what else runs on the machine only ever slows one down.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import httpx

from benchmarks.pace import measured_pace
from benchmarks.rows import Row, at_most, within
from benchmarks.whole.bare import bare
from benchmarks.whole.stack import simulated_jira, stack, trigger, until_visible
from benchmarks.whole.table import STORES, FirstSync, first_sync

ROUNDS = 3


class Goals(NamedTuple):
    """Of one first sync, in seconds where nothing else is said."""

    issues: int
    latency_ms: int
    visible: float | None = None
    after_visible: float | None = None
    """Until NATS has all of it, too."""
    cpu: float | None = None
    """Of all processes."""
    ingestor_mb: float | None = None
    requests: int | None = None
    stored: int | None = None
    """Bytes of an issue with its three comments and two worklogs, in log, tables and stream together."""
    rounds: int = 1


GOALS = (
    Goals(1000, 50, visible=0.9, requests=18, rounds=ROUNDS),
    Goals(10_000, 50, visible=5.0, after_visible=2.0, cpu=10.0, stored=14_000, rounds=ROUNDS),
    Goals(100_000, 0, visible=75.0, ingestor_mb=170.0, stored=14_000),
)


def run() -> list[Row]:
    rows = [Row("the loop of fixed work, here / where targets were set", measured_pace(), "ratio")]
    for goals in GOALS:
        rows += judged(goals, [first_sync(goals.issues, goals.latency_ms) for _ in range(goals.rounds)])
    return rows + _again()


def judged(goals: Goals, rounds: list[FirstSync]) -> list[Row]:
    """The best of each figure against its goal."""

    def best(figure: Callable[[FirstSync], float]) -> float:
        return min(map(figure, rounds))

    def stored(*stores: str) -> float:
        return best(lambda of: sum(of.stored[store] for store in stores) / of.issues)

    name = f"{goals.issues:,} issues at {goals.latency_ms} ms"
    visible, fetched = best(lambda of: of.visible), best(lambda of: of.bare.seconds)
    spent = best(lambda of: sum(of.cpu.values()))
    return [
        _goal(f"{name}: first request to visible", visible, goals.visible),
        Row(f"{name}: the bare script", fetched, "s"),
        Row(f"{name}: visible / the bare script", visible / fetched, "ratio"),
        _goal(f"{name}: complete in NATS after that", best(lambda of: of.complete - of.visible), goals.after_visible),
        _goal(f"{name}: CPU of all processes", spent, goals.cpu),
        Row(f"{name}: CPU of an issue", 1000 * spent / goals.issues, "ms"),
        _bound(f"{name}: requests", best(lambda of: of.requests), "requests", goals.requests),
        _bound(f"{name}: ingestor's peak memory", best(lambda of: of.peak_mb["ingestor"]), "MB", goals.ingestor_mb),
        _bound(f"{name}: stored of an issue", stored(*STORES), "bytes", goals.stored),
        *(Row(f"{name}: {store}, of an issue", stored(store), "bytes") for store in STORES),
    ]


def _goal(what: str, seconds: float, bound: float | None) -> Row:
    return Row(what, seconds, "s") if bound is None else within(what, seconds, bound)


def _bound(what: str, value: float, unit: str, bound: float | None) -> Row:
    return Row(what, value, unit) if bound is None else at_most(what, value, unit, bound)


def _again() -> list[Row]:
    """A full sync that finds nothing new, as somebody asks for it."""
    with simulated_jira(1000, latency_ms=50) as jira, stack(jira) as (url, _):
        until_visible(url, 1000)
        took = []
        for _ in range(ROUNDS):
            httpx.delete(f"{jira}/simulator/requests", timeout=60)
            began = time.perf_counter()
            trigger(url, full=True)
            took.append(time.perf_counter() - began)
        requests = httpx.get(f"{jira}/simulator/requests", timeout=60).json()["count"]
        fetched = bare(jira).seconds
    return [
        at_most("1,000 issues, a full sync without news: requests", requests, "requests", 18),
        within("1,000 issues, a full sync without news: trigger to visible", min(took), 3.0),
        Row("1,000 issues, a full sync without news / the bare script", min(took) / fetched, "ratio"),
    ]
