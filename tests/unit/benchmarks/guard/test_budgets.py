"""A figure that has grown beyond its margin is refused by name, and the budgets that are committed are of this work."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.guard import __main__ as guard
from benchmarks.guard import budgets
from benchmarks.guard.budgets import Budgets, Verdict, judge

ACCEPTED = Budgets(python="3.11", work={"first sync": {"calls": 1000, "events": 600}})


def verdict(calls: int = 1000, python: str = "3.11") -> Verdict:
    return judge({"first sync": {"calls": calls}}, ACCEPTED, python)[0]


def test_a_figure_within_its_margin_is_well() -> None:
    assert not verdict(1030).grown
    assert not verdict(950).spare


def test_a_figure_beyond_it_has_grown() -> None:
    assert verdict(1031).grown
    assert str(verdict(1100)).endswith("+10.0%  GREW")


def test_a_figure_far_below_is_told() -> None:
    assert verdict(899).spare
    assert not verdict(899).grown


def test_what_nobody_has_accepted_is_refused() -> None:
    assert judge({"rebuild": {"calls": 1}}, ACCEPTED, "3.11")[0].grown


def test_calls_are_judged_where_they_were_counted_the_same_way() -> None:
    assert not verdict(2000, python="3.12").grown
    assert judge({"first sync": {"events": 700}}, ACCEPTED, "3.12")[0].grown


@pytest.mark.parametrize(("calls", "code"), [(1000, 0), (800, 0), (1100, 1)])
def test_the_exit_code_and_what_is_said(
    calls: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "measured", lambda: {"first sync": {"calls": calls}})
    monkeypatch.setattr(guard, "read", lambda: ACCEPTED)
    monkeypatch.setattr(guard, "this_python", lambda: "3.11")
    monkeypatch.setattr("gc.disable", lambda: None)
    assert guard.main([]) == code
    said = capsys.readouterr().out
    assert ("first sync: calls: 1,100 instead of 1,000 +10.0%" in said) == (code == 1)
    assert ("--accept" in said) == (calls != 1000)


def test_what_is_accepted_is_the_budget(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "FILE", tmp_path / "budgets.json")
    budgets.accept({"rebuild": {"calls": 7}})
    assert budgets.read() == Budgets(python=budgets.this_python(), work={"rebuild": {"calls": 7}})


def test_the_committed_budgets_have_every_kind_of_work() -> None:
    assert {"first sync", "run in which nothing has changed", "read tables", "rebuild", "relay to NATS"} <= set(
        budgets.read().work
    )


def test_quick_is_the_guard_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "quick", lambda options: 7 if options == ["--accept"] else 0)
    assert benchmarks.main(["--quick", "--accept"]) == 7
