"""What the dashboards ask of Prometheus; as a file of rules on stdout, so that promtool can read the expressions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.unit.observe.catalogue import ROOT

DASHBOARDS = sorted((ROOT / "deploy" / "observe" / "grafana" / "dashboards").glob("*.json"))
_BUILT_IN = re.compile(r"\$__(rate_)?interval\b")
_ASKED_OF_LABELS = re.compile(r"label_values\((.*),\s*\w+\)", re.DOTALL)


def dashboard(path: Path) -> Any:
    return json.loads(path.read_text())


def expressions(path: Path) -> Iterator[str]:
    """Those of all panels and variables."""
    board = dashboard(path)
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in board["templating"]["list"]:
        yield from _ASKED_OF_LABELS.findall(variable["query"])


def as_rules() -> str:
    """A recording rule of each expression; `$__rate_interval` and its like are only known to Grafana."""
    asked = [expression for path in DASHBOARDS for expression in expressions(path)]
    rules = [
        {"record": f"dashboards:{number}", "expr": _BUILT_IN.sub("1m", expression)}
        for number, expression in enumerate(asked)
    ]
    return str(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))


if __name__ == "__main__":
    sys.stdout.write(as_rules())
