"""Alerts and dashboards ask for what exists, each alert has its page and its case. Syntax: `make observe-check`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.observe.catalogue import ROOT, metrics
from tests.unit.observe.dashboards import DASHBOARDS, dashboard, expressions
from tests.unit.observe.promql import series

PROMETHEUS = ROOT / "deploy" / "observe" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
OWN = frozenset({"ALERTS", "up"})
"""What Prometheus itself adds."""
WATCHDOG = "JdiWatchdog"
"""It asks for nothing, and always fires."""


def rules(kind: str) -> list[dict[str, Any]]:
    """All rules of one kind: `alert` or `record`."""
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


ALERTS, RECORDED = rules("alert"), rules("record")


@cache
def known() -> frozenset[str]:
    exported = {name for metric in metrics() for name in metric.series}
    return frozenset(exported | {rule["record"] for rule in RECORDED} | OWN)


def asked() -> set[str]:
    """By all rules and dashboards together."""
    expressions_of_rules = [rule["expr"] for rule in [*ALERTS, *RECORDED]]
    expressions_of_boards = [expression for path in DASHBOARDS for expression in expressions(path)]
    return set().union(*map(series, expressions_of_rules + expressions_of_boards))


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up", {"up"}),
        ('sum by (site) (rate(a_total{code!="x", b="{c}"}[5m])) / on (site) group_left (d) e:f', {"a_total", "e:f"}),
        ("max(a) > bool 1e3 or (b unless on () c) and 2 * d offset 5m", {"a", "b", "c", "d"}),
        ("a unless last_over_time(a[1h] offset $__interval)", {"a"}),
        ("histogram_quantile(0.9, sum(rate(a_bucket[$__rate_interval])) without (le)) # of b", {"a_bucket"}),
        ('count (a{site=~"$site"}) + vector(0) + ${b:raw} + time()', {"a"}),
    ],
)
def test_names_of_series_are_found(expression: str, names: set[str]) -> None:
    assert series(expression) == names


@pytest.mark.parametrize("rule", [*ALERTS, *RECORDED], ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_what_exists(rule: dict[str, Any]) -> None:
    names = series(rule["expr"])
    assert names or rule.get("alert") == WATCHDOG
    assert names <= known()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_for_what_exists(path: Path) -> None:
    for expression in expressions(path):
        assert series(expression), expression
        assert series(expression) <= known(), expression


def test_every_recorded_value_is_used() -> None:
    assert {rule["record"] for rule in RECORDED} <= asked()


def test_what_we_measure_is_shown_somewhere() -> None:
    shown = asked()
    ours = [metric for metric in metrics() if metric.name.startswith(("jdi_", "jira_", "notification"))]
    assert [metric.name for metric in ours if not metric.series & shown] == []


def test_dashboards_can_be_told_apart_and_lie_on_the_grid() -> None:
    boards = [dashboard(path) for path in DASHBOARDS]
    assert len(boards) == 6
    assert len({board["uid"] for board in boards}) == len(boards)
    for board in boards:
        panels = board["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        places = {
            (x, y)
            for at in (panel["gridPos"] for panel in panels)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert max(x for x, _ in places) < 24
        assert len(places) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_has_a_page_that_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ({"none"} if rule["alert"] == WATCHDOG else {"critical", "warning", "info"})
    page = ROOT / rule["annotations"]["runbook"]
    assert page == RUNBOOKS / f"{rule['alert']}.md"
    text = page.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## What it means",
        "## How to check",
        "## What to do",
    ]


def test_every_page_has_its_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {rule["alert"] for rule in ALERTS}


def test_every_alert_fires_in_a_case_of_its_own() -> None:
    cases = yaml.safe_load((PROMETHEUS / "tests" / "alerts.yml").read_text())["tests"]
    tried = [test for case in cases for test in case.get("alert_rule_test", ())]
    assert {test["alertname"] for test in tried if test["exp_alerts"]} == {rule["alert"] for rule in ALERTS}
