"""Each import contract holds, and catches a deliberate violation."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VIOLATIONS = {
    "Services stand on libs": ("libs/runtime/stop.py", "import services.projector"),
    "Services never import one another": ("services/telemetry/settings.py", "import services.notifier"),
    "Libs never import one another": ("libs/read_tables/__init__.py", "import libs.runtime"),
    "Only the ingestor speaks to Jira": ("services/graphql/settings.py", "import libs.jira_client"),
    "No service knows the simulated Jira": ("services/ingestor/settings.py", "import libs.jira_simulator"),
    "Workflows decide, activities do": ("services/ingestor/workflows.py", "import httpx"),
    "The event log knows no scheduler": ("libs/events/types/event.py", "import temporalio"),
    "An event type knows neither": ("libs/events/types/facts.py", "import libs.events.log.batches"),
    "Of the parts of libs.events": ("libs/events/log/digests.py", "import libs.events.reading.follow"),
    "What a failure means is told": ("libs/jira_client/failures/rules.py", "import httpx"),
    "GraphQL: requests stand on": ("services/graphql/reading/pages.py", "import services.graphql.api.roles"),
    "No subject of the API": (
        "services/graphql/api/alerts/mutations.py",
        "import services.graphql.api.access.mutations",
    ),
    "Who is told what": ("services/notifier/policy/rules.py", "import services.notifier.delivery.send"),
    "How rows are written": ("services/projector/tables/upserts.py", "import services.projector.issues.adf"),
    "No circles in a service": ("services/telemetry/backoff.py", "import services.telemetry.state"),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("services", "libs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on a tree of its own, where `services` and `libs` are those of the tree."""
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tree_keeps_all_contracts(tree: Path) -> None:
    result = lint(tree)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(VIOLATIONS)} kept, 0 broken" in result.stdout


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_violation_breaks_its_contract(tree: Path, contract: str) -> None:
    file, line = VIOLATIONS[contract]
    path = tree / file
    path.write_text(path.read_text() + f"\n{line}\n")
    result = lint(tree)
    assert result.returncode == 1
    verdict = re.search(rf"{re.escape(contract)}(?:(?!KEPT|BROKEN).)*(KEPT|BROKEN)", result.stdout, re.DOTALL)
    assert verdict is not None
    assert verdict[1] == "BROKEN", result.stdout
