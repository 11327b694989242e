"""Every module has a test that knows it: one that imports from it, or tests at the same place.

An import through a package counts for the module that the name comes from, and so does a dotted name in a string, as in
`python -m services.cli`. The place of the modules in `services/notifier/policy` is
`tests/unit/services/notifier/policy`, `tests/integration/notifier/policy`, or the same in `tests/acceptance`.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
TOPS: Final = ("services", "libs")
DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TESTED_IN: Final = {
    "libs.access.times": "tests/integration/access",
    "libs.jira_client.wire": "tests/unit/libs/jira_client/test_pages.py",
    "libs.jira_simulator.control": "tests/unit/libs/jira_simulator/site/test_changes.py",
    "libs.read_tables.columns": "tests/unit/services/projector",
    "libs.temporal.calendar_times": "tests/unit/libs/temporal/test_cron.py",
    "libs.temporal.clock_changes": "tests/unit/libs/temporal/test_cron.py",
    "services.cli.asking": "tests/docs/test_blocks.py",
    "services.cli.running.demo": "tests/docs/test_blocks.py",
    "services.cli.running.first_sync": "tests/docs/test_blocks.py",
    "services.cli.running.told": "tests/docs/test_blocks.py",
    "services.cli.running.up": "tests/acceptance/sync/test_crashes.py",
    "services.graphql.api.alerts": "tests/acceptance/steering/test_alert_steering.py",
    "services.graphql.api.syncs": "tests/acceptance/steering/test_steering.py",
    "services.ingestor.project_of": "tests/acceptance/sync",
    "services.notifier.measures": "tests/integration/notifier/test_delivering.py",
    "services.projector.settings": "tests/integration/projector/test_process.py",
    "services.telemetry.__main__": "tests/acceptance/deploy/test_manifests.py",
}
"""Modules, or all of a package, that are reached through others alone: where that is done."""


def modules() -> list[str]:
    """Of services and libs, all that do something: a definition makes the difference."""
    found = []
    for path in sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py")):
        body = ast.parse(path.read_text()).body
        if path.stem != "__init__" and any(
            isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for each in body
        ):
            found.append(dotted(path))
    return found


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def re_exported() -> dict[str, str]:
    """Where the names come from that a package gives on: `libs.events.Append` from `libs.events.log.append`."""
    return {
        f"{dotted(path)}.{alias.asname or alias.name}": f"{node.module}.{alias.name}"
        for path in (path for top in TOPS for path in (ROOT / top).rglob("__init__.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0
        for alias in node.names
    }


def origin(name: str) -> str:
    """The module that a name comes from, with the name."""
    seen = set[str]()
    while name in re_exported() and name not in seen:
        seen.add(name)
        name = re_exported()[name]
    return name


def named_in(path: Path) -> Iterator[str]:
    """Everything of ours that a test imports or names in a string, with its parents."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(TOPS):
            yield node.value


@functools.cache
def known_to_tests() -> frozenset[str]:
    found = set[str]()
    for path in {*(ROOT / "tests").rglob("*.py")} - {Path(__file__)}:
        for name in named_in(path):
            found |= {origin(name), origin(name).rpartition(".")[0], f"{name}.__main__"}
    return frozenset(found)


def has_tests_at_its_place(module: str) -> bool:
    """Tests of its own name beside those of its neighbours, of its folder, or of all that its folder holds."""
    top, *folder, name = module.split(".")
    for place in (Path("unit", top), Path("integration"), Path("acceptance")):
        tests = (ROOT / "tests" / place).joinpath(*folder)
        of_the_folder = [tests.with_name(f"test_{tests.name}.py"), *tests.glob("test_*.py")] if folder[1:] else []
        if any(each.exists() for each in (tests / f"test_{name}.py", *of_the_folder)):
            return True
    return False


@functools.cache
def untested() -> list[str]:
    return [each for each in modules() if each not in known_to_tests() and not has_tests_at_its_place(each)]


def excepted(module: str, by: str) -> bool:
    return f"{module}.".startswith(f"{by}.")


def test_every_module_has_a_test_that_knows_it() -> None:
    assert [each for each in untested() if not any(excepted(each, by) for by in TESTED_IN)] == []


@pytest.mark.parametrize("exception", TESTED_IN)
def test_an_exception_is_one(exception: str) -> None:
    assert any(excepted(each, exception) for each in untested())
    assert (ROOT / TESTED_IN[exception]).exists()
