"""The page docs/metrics.md, written from what the processes really export: `make metrics`."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec

from libs.embedded import environment

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "metrics.md"
SERVICES = environment.SERVICES
LIBRARY = ("process_", "python_")
"""How the names begin that Prometheus' own library exports of every process."""

# In a process of its own: what it has imported is what it exports. Services never import one another, so what is new
# after the import of one is its own; what is there before all of them is everybody's.
LISTING = """
import importlib, sys
import msgspec
from prometheus_client import REGISTRY
found, known = {}, set()
for name in ("libs.runtime", *(f"{module}.__main__" for module in sys.argv[1:])):
    importlib.import_module(name)
    labels = {family: collector._labelnames for collector, families in REGISTRY._collector_to_names.items()
              for family in families if hasattr(collector, "_labelnames")}
    found[name] = [(family.name, family.type, family.documentation, labels.get(family.name, ()))
                   for family in REGISTRY.collect() if family.name not in known]
    known |= {family for family, *_ in found[name]}
sys.stdout.write(msgspec.json.encode(list(found.values())).decode())
"""

INTRODUCTION = """# Metrics

Every service answers `/metrics` in Prometheus' text format. This page names all that they export; `make metrics` writes
it from the code. [observe.md](observe.md) says how to collect them, and which dashboards and alerts come with them.

A *counter* only grows and begins at 0 with the process: ask for its `rate()` or `increase()`. A *gauge* is a value of
the moment. A *histogram* has the series `_bucket`, `_sum` and `_count`; ask for `histogram_quantile()`. Where several
processes of a service run, one of them works and has the values of its projects and its lag; the others have none, so
ask for the `max` of a gauge and the `sum` of a counter.

| metric | kind | unit | labels | exported by | meaning |
|---|---|---|---|---|---|
"""
LIBRARIES = """
## Of every process

From Prometheus' library for Python: what the process takes of its machine.

| metric | kind | unit | meaning |
|---|---|---|---|
"""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric, as it is named in Prometheus."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...]
    services: tuple[str, ...]

    @property
    def unit(self) -> str:
        """What the name says of it, as Prometheus' rules for names have it."""
        name = self.name.removesuffix("_total")
        if name.endswith("_timestamp_seconds") or name == "process_start_time_seconds":
            return "Unix time, s"
        return next(
            (unit for suffix, unit in (("_seconds", "s"), ("_bytes", "byte")) if name.endswith(suffix)), "number"
        )

    @property
    def series(self) -> set[str]:
        """The names of its series."""
        endings = ("_bucket", "_sum", "_count") if self.kind == "histogram" else ("",)
        return {self.name + ending for ending in endings}


@cache
def metrics() -> tuple[Metric, ...]:
    """Everything that any service exports, by name."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING, *environment.MODULES.values()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    shared, *own = msgspec.json.decode(done.stdout, type=list[list[tuple[str, str, str, tuple[str, ...]]]])
    found = [
        Metric(
            name=f"{family}_total" if kind == "counter" else family,
            kind=kind,
            meaning=meaning,
            labels=labels,
            services=services,
        )
        for services, families in ((SERVICES, shared), *zip(((service,) for service in SERVICES), own, strict=True))
        for family, kind, meaning, labels in families
    ]
    return tuple(sorted(found, key=lambda metric: metric.name))


def page() -> str:
    """The whole page."""
    ours = [metric for metric in metrics() if not metric.name.startswith(LIBRARY)]
    library = [metric for metric in metrics() if metric.name.startswith(LIBRARY)]
    rows = [
        _row(f"`{m.name}`", m.kind, m.unit, _ticked(m.labels), _exporters(m), m.meaning.replace("|", "\\|"))
        for m in ours
    ]
    rest = [_row(f"`{m.name}`", m.kind, m.unit, m.meaning) for m in library]
    return INTRODUCTION + "".join(rows) + LIBRARIES + "".join(rest)


def _exporters(metric: Metric) -> str:
    return "every service" if metric.services == SERVICES else ", ".join(metric.services)


def _ticked(labels: tuple[str, ...]) -> str:
    return " ".join(f"`{label}`" for label in labels) or "none"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
