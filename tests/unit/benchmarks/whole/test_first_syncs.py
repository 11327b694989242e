"""First syncs are set against the goals by their best figures, and told as a table."""

from __future__ import annotations

import pytest

from benchmarks import pace
from benchmarks.rows import Row
from benchmarks.whole.bare import Cost
from benchmarks.whole.main_job import GOALS, Goals, judged
from benchmarks.whole.table import FirstSync, markdown


def first_sync(visible: float = 4.0, complete: float = 5.0, stream: int = 2000) -> FirstSync:
    return FirstSync(
        issues=1000,
        latency_ms=50,
        requests=18,
        visible=visible,
        complete=complete,
        events=6000,
        cpu={"ingestor": 1.0, "telemetry+notifier": 0.5},
        peak_mb={"ingestor": 150.0, "telemetry+notifier": 90.0},
        stored={"log": 4_000_000, "tables": 2_000_000, "stream": stream * 1000},
        bare=Cost(seconds=2.0, cpu_seconds=0.4, peak_mb=60.0),
    )


@pytest.fixture(autouse=True)
def _a_machine_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "measured_pace", lambda: 0.9)


def missed(goals: Goals, *rounds: FirstSync) -> list[str]:
    return [row.what.partition(": ")[2] for row in judged(goals, list(rounds)) if not row.ok]


def test_what_keeps_its_goals_misses_none() -> None:
    goals = Goals(1000, 50, visible=4.0, after_visible=1.0, cpu=1.5, ingestor_mb=150, requests=18, stored=8000)
    assert not missed(goals, first_sync())


@pytest.mark.parametrize(
    ("goals", "what"),
    [
        (Goals(1000, 50, visible=3.9), "first request to visible"),
        (Goals(1000, 50, after_visible=0.9), "complete in NATS after that"),
        (Goals(1000, 50, cpu=1.4), "CPU of all processes"),
        (Goals(1000, 50, ingestor_mb=149), "ingestor's peak memory"),
        (Goals(1000, 50, requests=17), "requests"),
        (Goals(1000, 50, stored=7999), "stored of an issue"),
    ],
)
def test_each_goal_can_be_missed(goals: Goals, what: str) -> None:
    assert missed(goals, first_sync()) == [what]


def test_the_best_of_each_figure_counts() -> None:
    goals = Goals(1000, 50, visible=4.0, after_visible=0.5)
    assert not missed(goals, first_sync(4.0, 9.0), first_sync(8.0, 8.5))


def test_a_slower_machine_is_allowed_as_many_times_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "measured_pace", lambda: 2.0)
    assert not missed(Goals(1000, 50, visible=2.0, cpu=0.75), first_sync())
    assert missed(Goals(1000, 50, stored=7999), first_sync()) == ["stored of an issue"]


def test_every_size_of_the_goals_is_judged_by_something() -> None:
    for goals in GOALS:
        assert any(row.target is not None for row in judged(goals, [first_sync()]))


def test_the_table_has_a_column_for_each_sync() -> None:
    told = markdown([first_sync(), first_sync(stream=3000)]).splitlines()
    assert told[0] == "|  | 1,000 at 50 ms | 1,000 at 50 ms |"
    assert "| CPU, all processes | 1.5 s | 1.5 s |" in told
    assert "| CPU, telemetry+notifier | 0.5 s | 0.5 s |" in told
    assert "| all stores, an issue | 8.00 kB | 9.00 kB |" in told
    assert isinstance(judged(GOALS[0], [first_sync()])[0], Row)
