"""How well slow syncs are told from healthy ones, on simulated series: no figure here depends on the machine.

Healthy series differ in how their runs vary; sick ones are healthy ones that become slow at a moment.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterator

from benchmarks.rows import Row
from services.telemetry.latency import SETTLED_RUNS, Baseline, Measured, judge

WEEK = 7 * 24 * 4
"""Runs of a 15-minute schedule."""

Series = Callable[[random.Random], Iterator[Measured]]
Sickness = Callable[[int, random.Random], float]
"""From the number of runs since it began to how many times longer they take."""


def _run(rows: int, seconds: float) -> Measured:
    return Measured("INCREMENTAL", rows, seconds)


def noise(chance: random.Random, spread: float = 0.2) -> Iterator[Measured]:
    """Log-normal durations, rows of one order."""
    while True:
        rows = chance.randint(500, 3000)
        yield _run(rows, (20 + 40 * rows / 1000) * math.exp(chance.gauss(0, spread)))


def much_noise(chance: random.Random) -> Iterator[Measured]:
    """Two of three runs differ from the usual by up to half."""
    return noise(chance, 0.4)


def bursts(chance: random.Random) -> Iterator[Measured]:
    """Mostly a handful of rows, now and then thousands."""
    while True:
        rows = chance.randint(500, 5000) if chance.random() < 0.1 else chance.choice((0, 1, 3, 8, 20, 40))
        yield _run(rows, (40 + 25 * rows / 1000) * math.exp(chance.gauss(0, 0.2)))


def weeks(chance: random.Random) -> Iterator[Measured]:
    """By day, from Monday to Friday, up to 1.6 times slower than at night."""
    for number, run in enumerate(noise(chance)):
        day, hour = divmod(number / 4 % 168, 24)
        busy = max(0.0, math.sin((hour - 6) / 12 * math.pi)) if day < 5 else 0.0
        yield _run(run.rows, run.seconds * (1 + 0.6 * busy))


def outliers(chance: random.Random) -> Iterator[Measured]:
    """One run in fifty takes 4 to 10 times as long."""
    for run in noise(chance):
        yield _run(run.rows, run.seconds * (chance.uniform(4, 10) if chance.random() < 0.02 else 1))


HEALTHY: dict[str, Series] = {
    "noise": noise,
    "much noise": much_noise,
    "bursts of rows": bursts,
    "weekly rhythm": weeks,
    "single outliers": outliers,
}

SICK: dict[str, Sickness] = {
    "step x2": lambda _since, _chance: 2,
    "step x3": lambda _since, _chance: 3,
    "step x5": lambda _since, _chance: 5,
    "drift +3 % a run": lambda since, _chance: 1.03**since,
    "x4 in every other run": lambda since, _chance: 4 if since % 2 else 1,
    "x4 in one run of three": lambda _since, chance: 4 if chance.random() < 1 / 3 else 1,
}

DELAYS = {"step x3": 5, "step x5": 5}
"""Targets, in runs."""

FALSE_ALARMS = 1.0
"""Target, per 1,000 healthy runs."""


def false_alarms(series: Series, runs: int, seeds: range) -> float:
    """Per 1,000 runs; the time in which the detector learns is counted in."""
    alarms = 0
    for seed in seeds:
        baseline, slow = Baseline(), False
        for _, run in zip(range(runs), series(random.Random(seed)), strict=False):
            baseline, verdict = judge(baseline, run)
            alarms += verdict.slow and not slow
            slow = verdict.slow
    return 1000 * alarms / (runs * len(seeds))


def delays(series: Series, sickness: Sickness, seeds: range) -> list[float]:
    """Runs from the first slow one until it is told, shortest first; infinite where it is not told in 100 runs."""
    return sorted(_delay(series, sickness, random.Random(seed)) for seed in seeds)


def _delay(series: Series, sickness: Sickness, chance: random.Random) -> float:
    begins = chance.randint(200, 500)
    baseline = Baseline()
    for number, run in zip(range(begins + SETTLED_RUNS), series(chance), strict=False):
        since = number - begins
        times = sickness(since, chance) if since >= 0 else 1
        baseline, verdict = judge(baseline, _run(run.rows, run.seconds * times))
        if since >= 0 and verdict.slow:
            return since + 1
    return math.inf


def run() -> list[Row]:
    rows: list[Row] = []
    for name, series in HEALTHY.items():
        alarms = false_alarms(series, 3 * WEEK, range(10))
        what = f"false alarms, {name}"
        rows.append(Row(what, alarms, "per 1,000", FALSE_ALARMS, ok=alarms <= FALSE_ALARMS))
    for name, series in HEALTHY.items():
        for sickness, times in SICK.items():
            found = delays(series, times, range(100, 130))
            target = DELAYS.get(sickness)
            middle, late = statistics.median(found), found[int(len(found) * 0.9) - 1]
            what = f"{sickness}, {name}: found after"
            rows.append(Row(f"{what}, median", middle, "runs", target, ok=target is None or middle <= target))
            rows.append(Row(f"{what}, 9 of 10", late, "runs"))
    return rows
