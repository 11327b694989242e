"""Does work cost more than it did? Counts against budgets; exits 1 where one has grown. A quarter of a minute.

`make bench ARGS=--quick`; with `make bench ARGS='--quick --accept'` what is counted now becomes the budget.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Mapping, Sequence

import structlog

from benchmarks.guard.budgets import FILE, MARGIN, Verdict, accept, judge, read, this_python
from benchmarks.guard.work import ISSUES, measured

SAME_EVERYWHERE: Mapping[str, str] = {"PYTHONHASHSEED": "0"}
"""How sets are ordered decides what some code does first."""


def main(arguments: Sequence[str]) -> int:
    if unknown := set(arguments) - {"--accept"}:
        sys.stderr.write(f"no option {', '.join(sorted(unknown))}; there is --accept\n")
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    gc.disable()  # else finalizers run, and are counted, when it happens to come by
    found = measured()
    if "--accept" in arguments:
        accept(found)
        print(f"{FILE.name} holds what was counted now: commit it.")
        return 0
    verdicts = judge(found, read(), this_python())
    print(f"Of {ISSUES} issues with three comments and two worklogs each:", *verdicts, sep="\n")
    print(_said(verdicts))
    return 1 if any(verdict.grown for verdict in verdicts) else 0


def _said(verdicts: Sequence[Verdict]) -> str:
    grown = [verdict for verdict in verdicts if verdict.grown]
    if grown:
        return (
            f"\nWork costs more than its budget and {MARGIN:.0%}:\n"
            + "".join(f"  {_growth(verdict)}\n" for verdict in grown)
            + "Take back what costs it. Where it is worth it: make bench ARGS='--quick --accept', commit"
            f" benchmarks/guard/{FILE.name}, and say why."
        )
    if any(verdict.spare for verdict in verdicts):
        return "Work costs less than its budget: make bench ARGS='--quick --accept' keeps it so; commit the budgets."
    return "No work costs more than its budget."


def _growth(verdict: Verdict) -> str:
    what = f"{verdict.work}: {verdict.what}: {verdict.now:,}"
    if verdict.budget is None:
        return f"{what}, and there is no budget yet"
    return f"{what} instead of {verdict.budget:,} {verdict.growth}"


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in SAME_EVERYWHERE.items()):
        again = [sys.executable, "-m", "benchmarks.guard", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, **SAME_EVERYWHERE})  # noqa: S606
    sys.exit(main(sys.argv[1:]))
