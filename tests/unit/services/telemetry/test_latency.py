"""Slow runs are distinguished from healthy ones: on simulated series, and in the cases that the method is made for."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.slow_runs import DELAYS, FALSE_ALARMS, HEALTHY, SICK, delays, false_alarms
from services.telemetry.latency import (
    ARMED_RUNS,
    FLOOR_SECONDS,
    LEARNT_RUNS,
    RECENT_RUNS,
    SETTLED_RUNS,
    Baseline,
    Measured,
    Verdict,
    judge,
)


def incremental(rows: int, seconds: float) -> Measured:
    return Measured("INCREMENTAL", rows, seconds)


def usual(runs: int = 60, seed: int = 1, times: float = 1) -> list[Measured]:
    """A tenth up or down around 2 s and 6 s per thousand rows."""
    chance = random.Random(seed)
    sizes = [chance.randint(2500, 3500) for _ in range(runs)]
    return [incremental(rows, times * (2 + 6 * rows / 1000) * math.exp(chance.gauss(0, 0.1))) for rows in sizes]


def after(runs: Iterable[Measured], baseline: Baseline | None = None) -> tuple[Baseline, list[Verdict]]:
    baseline, verdicts = baseline or Baseline(), []
    for run in runs:
        baseline, verdict = judge(baseline, run)
        verdicts.append(verdict)
    return baseline, verdicts


@pytest.mark.parametrize("kind", HEALTHY)
def test_at_most_one_false_alarm_in_a_thousand_healthy_runs(kind: str) -> None:
    assert false_alarms(HEALTHY[kind], 1000, range(2)) <= FALSE_ALARMS


@pytest.mark.parametrize("sickness", DELAYS)
@pytest.mark.parametrize("kind", HEALTHY)
def test_runs_that_take_three_times_as_long_are_slow_within_five(kind: str, sickness: str) -> None:
    assert statistics.median(delays(HEALTHY[kind], SICK[sickness], range(3))) <= DELAYS[sickness]


@pytest.mark.parametrize("sickness", [sickness for sickness in SICK if sickness not in DELAYS])
def test_what_is_harder_to_see_is_seen_as_well(sickness: str) -> None:
    assert statistics.median(delays(HEALTHY["noise"], SICK[sickness], range(5))) < math.inf


def test_the_text() -> None:
    baseline, _ = after(usual())
    baseline, verdicts = after([incremental(3100, 94)] * 3, baseline)
    assert [verdict.slow for verdict in verdicts] == [False, False, True]
    assert verdicts[-1].text == "Took 94 s for 3,100 rows; usual for that many is 20 s (95 % are below 23 s)."
    first = after([incremental(1, 2.5)])[1][0]
    assert first.text == f"Took 2.5 s for 1 row; what is usual is known after {ARMED_RUNS} runs."


def test_a_drift_is_named_in_the_text() -> None:
    baseline, _ = after(usual(200, times=2))
    runs = [incremental(run.rows, run.seconds * 1.03**n) for n, run in enumerate(usual(60, seed=2, times=2))]
    slow = next(verdict for verdict in after(runs, baseline)[1] if verdict.slow)
    assert "Of late, runs took 1." in slow.text


def test_short_runs_are_never_slow() -> None:
    baseline, _ = after(incremental(run.rows, run.seconds / 80) for run in usual())
    _, verdicts = after([incremental(3000, FLOOR_SECONDS)] * 50, baseline)
    assert not any(verdict.slow for verdict in verdicts)


def test_a_run_is_not_slow_for_having_many_rows() -> None:
    baseline, _ = after(usual())
    _, verdicts = after([incremental(6000, 38), incremental(100_000, 602)] * 20, baseline)
    assert not any(verdict.slow for verdict in verdicts)


def test_single_outliers_are_no_slowness() -> None:
    baseline, _ = after(usual(200))
    runs = [incremental(run.rows, run.seconds * (50 if n % 10 == 0 else 1)) for n, run in enumerate(usual(60, seed=2))]
    assert not any(verdict.slow for verdict in after(runs, baseline)[1])


def test_it_is_over_after_some_usual_runs_in_a_row_and_has_taught_nothing() -> None:
    baseline, _ = after(usual())
    before = baseline.modes["INCREMENTAL"].usual
    baseline, _ = after(usual(SETTLED_RUNS // 2, seed=2, times=5), baseline)
    assert baseline.modes["INCREMENTAL"].slow
    _, verdicts = after([incremental(3000, 20)] * RECENT_RUNS, baseline)
    assert [verdict.slow for verdict in verdicts] == [True] * (RECENT_RUNS - 1) + [False]
    baseline, _ = after([incremental(3000, 20)] * RECENT_RUNS, baseline)
    assert baseline.modes["INCREMENTAL"].usual == before


def test_now_and_then_a_usual_run_does_not_end_it() -> None:
    baseline, _ = after(usual())
    baseline, _ = after(usual(10, seed=2, times=5), baseline)
    runs = [incremental(3000, 20 if n % RECENT_RUNS else 100) for n in range(40)]
    assert all(verdict.slow for verdict in after(runs, baseline)[1])


def test_what_stays_slow_is_the_usual_in_the_end() -> None:
    baseline, _ = after(usual())
    baseline, verdicts = after(usual(SETTLED_RUNS + 10, seed=2, times=5), baseline)
    assert sum(verdict.slow for verdict in verdicts) in range(SETTLED_RUNS - 1, SETTLED_RUNS + 1)
    assert any("usual from now on" in verdict.text for verdict in verdicts)
    assert not verdicts[-1].slow
    _, verdicts = after(usual(5, seed=3, times=25), baseline)
    assert verdicts[-1].slow


def test_modes_are_judged_apart() -> None:
    baseline, _ = after(usual())
    baseline, verdicts = after((Measured("FULL", run.rows, run.seconds * 9) for run in usual(19)), baseline)
    assert not any(verdict.slow for verdict in verdicts)


RUNS = st.builds(
    Measured,
    mode=st.sampled_from(("FULL", "INCREMENTAL")),
    rows=st.integers(0, 10**7),
    seconds=st.floats(0, 10**6),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(RUNS, max_size=150))
def test_any_runs_are_taken_and_remembered_in_little_space(runs: list[Measured]) -> None:
    baseline, verdicts = after(runs * 3)
    assert all(verdict.text for verdict in verdicts)
    encoded = msgspec.json.encode(baseline)
    assert msgspec.json.decode(encoded, type=Baseline) == baseline
    assert len(encoded) < 2 * 32 * (LEARNT_RUNS + SETTLED_RUNS)
