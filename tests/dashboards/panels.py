"""What Grafana would show in a panel: its queries with the variables filled in, the answers as lines, value or table.

Only what our dashboards use: see `KINDS` and the transformations `merge` and `organize`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from tests.dashboards.prometheus import INTERVAL, Prometheus, QueryError

KINDS: Final = frozenset({"stat", "timeseries", "table"})
_ASKED_OF_LABELS: Final = re.compile(r"label_values\((.*),\s*(\w+)\)", re.DOTALL)
_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_VARIABLE: Final = re.compile(r"\$(\w+)")
ALL: Final = "$__all"


@dataclass(frozen=True)
class Window:
    """The time that the picture shows."""

    start: float
    end: float
    step: float = INTERVAL

    @property
    def times(self) -> list[float]:
        """On the grid of the step, as Grafana asks: with another range the bars stand where they stood."""
        first = math.ceil(self.start / self.step)
        return [number * self.step for number in range(first, int(self.end // self.step) + 1)]

    @property
    def builtin(self) -> dict[str, str]:
        """Grafana's own variables; the rate interval by its rule."""
        rate = max(self.step + INTERVAL, 4 * INTERVAL)
        whole = self.end - self.start
        return {"__rate_interval": f"{rate:g}s", "__interval": f"{self.step:g}s", "__range": f"{whole:.0f}s"}


async def drawn(board: dict[str, Any], server: Prometheus, window: Window) -> dict[str, Any]:
    """The dashboard, with the answers in its panels."""
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    chosen = {name: _value(variable) for name, variable in variables.items()}
    for variable in variables.values():
        variable["found"] = await _found(variable, chosen, server, window)
        if variable["type"] == "query" and not variable["found"]:
            raise QueryError(f"the variable {variable['name']} has no values")
    for panel in board["panels"]:
        own = replace(window, step=max(window.step, _seconds(panel.get("interval", "0s"))))
        try:
            panel["data"] = await _data(panel, chosen | own.builtin, server, own)
        except QueryError as error:
            raise QueryError(f"{board['title']}: {panel['title']}: {error}") from error
        panel["times"] = own.times
    return board | {"range": [window.start, window.end]}


def is_empty(panel: dict[str, Any]) -> bool:
    return not panel["data"]


def _seconds(interval: str) -> float:
    return float(interval[:-1]) * {"s": 1, "m": 60, "h": 3600}[interval[-1]]


def _value(variable: dict[str, Any]) -> str:
    return str(variable["allValue"]) if variable.get("current", {}).get("value") == ALL else ""


async def _found(variable: dict[str, Any], chosen: dict[str, str], server: Prometheus, window: Window) -> list[str]:
    if variable["type"] != "query":
        return []
    [(query, label)] = _ASKED_OF_LABELS.findall(variable["query"])
    return sorted({series["metric"][label] for series in await server.at(_filled(query, chosen), window.end)})


def _filled(query: str, chosen: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: chosen[found[1]], query)


async def _data(panel: dict[str, Any], chosen: dict[str, str], server: Prometheus, window: Window) -> Any:
    if panel["type"] not in KINDS:
        raise NotImplementedError(f"the panel {panel['title']} is a {panel['type']}, which is not drawn here")
    queries = [(target, _filled(target["expr"], chosen)) for target in panel["targets"]]
    if panel["type"] == "timeseries":
        return [
            line
            for target, query in queries
            for line in _lines(target, await server.over(query, window.times[0], window.times[-1], window.step), window)
        ]
    answers = [(target, await server.at(query, window.end)) for target, query in queries]
    if panel["type"] == "stat":
        return [_number(series["value"][1]) for _, answer in answers for series in answer]
    return _table(panel, answers)


def _lines(target: dict[str, Any], answer: list[dict[str, Any]], window: Window) -> Iterator[dict[str, Any]]:
    for series in answer:
        values = {round(when, 3): _number(value) for when, value in series["values"]}
        yield {
            "name": _named(target["legendFormat"], series["metric"]),
            "values": [values.get(round(when, 3)) for when in window.times],
        }


def _named(legend: str, labels: dict[str, str]) -> str:
    return _LABEL.sub(lambda found: labels.get(found[1], ""), legend)


def _number(text: str) -> float | None:
    """NaN, which a division by zero gives, is drawn as nothing."""
    number = float(text)
    return None if math.isnan(number) else number


def _table(panel: dict[str, Any], answers: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> dict[str, Any] | None:
    """`merge` makes one row of what has the same labels; `organize` leaves out, orders and renames columns."""
    [organize] = [step["options"] for step in panel["transformations"] if step["id"] == "organize"]
    rows: dict[frozenset[tuple[str, str]], dict[str, Any]] = {}
    for target, answer in answers:
        column = f"Value #{target['refId']}" if len(answers) > 1 else "Value"
        for series in answer:
            row = rows.setdefault(frozenset(series["metric"].items()), dict(series["metric"]))
            row[column] = _number(series["value"][1])
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    kept = [column for column in columns if not organize["excludeByName"].get(column)]
    kept.sort(key=lambda column: organize["indexByName"].get(column, len(columns)))
    named = {column: organize["renameByName"].get(column, column) for column in kept}
    table = [{named[column]: row.get(column) for column in kept} for row in rows.values()]
    for order in reversed(panel["options"]["sortBy"]):
        table.sort(key=partial(_rank, order["displayName"]), reverse=order.get("desc", False))
    return {"columns": list(named.values()), "rows": table} if table else None


def _rank(column: str, row: dict[str, Any]) -> float:
    return row.get(column) or 0.0
