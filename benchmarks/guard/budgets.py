"""What work may cost: the figures that were accepted last, in a file that is committed, and a small margin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from benchmarks.guard.work import Figures

FILE: Final = Path(__file__).with_name("budgets.json")
MARGIN: Final = 0.03
"""Of a figure: threads meet differently, and stored bytes hold random ids. Runs beside other work differ by less."""
SPARE: Final = 0.1
"""Below its budget by so much, a figure would let a part of what was gained be lost again unseen."""
CALLS: Final = "calls"
"""The only figure that depends on Python: each version saves other calls."""


class Budgets(msgspec.Struct, frozen=True):
    """The accepted figures."""

    python: str
    """With which calls were counted, as in 3.11."""
    work: dict[str, Figures]
    """By kind of work and name of the count."""


class Verdict(NamedTuple):
    """What became of one figure."""

    work: str
    what: str
    now: int
    budget: int | None
    """None where nobody has accepted one yet."""
    judged: bool = True

    @property
    def grown(self) -> bool:
        return self.judged and (self.budget is None or self.now > self.budget * (1 + MARGIN))

    @property
    def spare(self) -> bool:
        return self.judged and self.budget is not None and self.now < self.budget * (1 - SPARE)

    def __str__(self) -> str:
        judgement = "GREW" if self.grown else "less" if self.spare else "ok"
        budget = "none" if self.budget is None else f"{self.budget:,}"
        return (
            f"{self.work + ': ' + self.what:<56} {self.now:>10,}  budget {budget:>10} {self.growth:>8}"
            f"  {judgement if self.judged else 'not judged'}"
        )

    @property
    def growth(self) -> str:
        """Over the budget, in percent."""
        return f"{self.now / self.budget - 1:+.1%}" if self.budget else ""


def judge(found: dict[str, Figures], budgets: Budgets, python: str) -> list[Verdict]:
    """Each figure beside its budget; `python` is the version that counted."""
    return [
        Verdict(
            work,
            what,
            now,
            budgets.work.get(work, {}).get(what),
            judged=what != CALLS or python == budgets.python,
        )
        for work, figures in found.items()
        for what, now in figures.items()
    ]


def read() -> Budgets:
    return msgspec.json.decode(FILE.read_bytes(), type=Budgets)


def accept(found: dict[str, Figures]) -> None:
    """Make these figures the budgets."""
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(Budgets(this_python(), found)), indent=1) + b"\n")


def this_python() -> str:
    """Its version as in 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
