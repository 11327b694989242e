"""`make bench` fails where a target is missed or a benchmark breaks, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.rows import Row, at_most

WELL = [Row("a figure", 1.0, "s"), at_most("requests", 18, "", 18)]
MISSED = [*WELL, at_most("requests", 19, "", 18)]


def broken() -> list[Row]:
    raise RuntimeError("no server")


@pytest.mark.parametrize(
    ("run", "code"), [(lambda: WELL, 0), (lambda: MISSED, 1), (broken, 1)], ids=["well", "missed", "broken"]
)
def test_the_exit_code(
    run: Callable[[], list[Row]], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.import_module", lambda _: SimpleNamespace(run=run))
    assert benchmarks.main(["relay", "append"]) == code
    assert len(capsys.readouterr().out.splitlines()) == 2 * (1 if run is broken else len(run()))


def test_a_name_that_is_none_is_refused() -> None:
    assert benchmarks.main(["relays"]) == 2


def test_every_benchmark_is_there() -> None:
    import importlib

    for module in {**benchmarks.BENCHMARKS, **benchmarks.ON_DEMAND}.values():
        assert callable(importlib.import_module(f"benchmarks.{module}").run)
