"""What a dashboard holds is what Grafana knows: its own types read it and write it back, and nothing is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.unit.observe.dashboards import DASHBOARDS, dashboard

register_default_plugins()


def lost(board: dict[str, Any]) -> list[str]:
    """The places whose value does not come back."""
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(board))))
    return list(_differences(board, known, ""))


def _differences(ours: Any, known: Any, place: str) -> Iterator[str]:
    """Grafana adds its defaults; that is no difference."""
    if isinstance(ours, dict) and isinstance(known, dict):
        for key, value in ours.items():
            yield from _differences(value, known.get(key), f"{place}.{key}")
    elif isinstance(ours, list) and isinstance(known, list) and len(ours) == len(known):
        for number, (value, other) in enumerate(zip(ours, known, strict=True)):
            yield from _differences(value, other, f"{place}[{number}]")
    elif ours != known:
        yield place


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_grafana_knows_all_that_a_dashboard_holds(path: Path) -> None:
    assert lost(dashboard(path)) == []


def _renamed(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def spoil(part: dict[str, Any]) -> None:
        part[new] = part.pop(old)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (_renamed("refresh", "refrehs"), ".refrehs"),
        (lambda board: _renamed("gridPos", "gridpos")(board["panels"][0]), ".panels[0].gridpos"),
        (lambda board: _renamed("graphMode", "grafMode")(board["panels"][0]["options"]), ".panels[0].options.grafMode"),
        (
            lambda board: _renamed("thresholds", "treshold")(board["panels"][0]["fieldConfig"]["defaults"]),
            ".panels[0].fieldConfig.defaults.treshold",
        ),
        (
            lambda board: _renamed("fillOpacity", "opacity")(board["panels"][7]["fieldConfig"]["defaults"]["custom"]),
            ".panels[7].fieldConfig.defaults.custom.opacity",
        ),
        (lambda board: _renamed("expr", "query")(board["panels"][0]["targets"][0]), ".panels[0].targets[0].query"),
    ],
)
def test_a_name_that_grafana_does_not_know_is_found(spoil: Callable[[dict[str, Any]], None], place: str) -> None:
    board = dashboard(DASHBOARDS[1])
    spoil(board)
    assert lost(board) == [place]
