"""docs/reference/alerts.md: the alerts of Prometheus, from their rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import ROOT
from tests.docs.reference.tables import table

RULES = ROOT / "deploy/observe/prometheus/rules/alerts.yml"
INTRODUCTION = """# Alerts

What `deploy/observe/prometheus/rules/alerts.yml` watches for; `make reference` writes this page from it. Each alert has
a page that says what it means, how to check and what to do. [Observe](../observe.md) tells how to set them up.

"""


def page() -> str:
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rows = [_row(rule) for group in groups for rule in group["rules"]]
    return INTRODUCTION + table(("alert", "severity", "after", "means"), rows)


def _row(rule: dict[str, Any]) -> tuple[str, ...]:
    runbook = Path(rule["annotations"]["runbook"]).name
    _, _, text = (ROOT / "docs/runbooks" / runbook).read_text(encoding="utf-8").partition("## What it means\n\n")
    means = re.split(r"(?<=[.]) |\n\n", " ".join(text.partition("\n\n")[0].split()))[0]
    return f"[{rule['alert']}](../runbooks/{runbook})", rule["labels"]["severity"], rule.get("for", "at once"), means
