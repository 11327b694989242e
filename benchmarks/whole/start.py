"""How long the demo takes from the command until its first sync is through: warm, and with no module compiled."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping

from benchmarks.rows import Row, within

ROUNDS = 3
SYNCED = "synced 1000 issues"


def run() -> list[Row]:
    warm = min(_demo({}) for _ in range(ROUNDS))
    cold = min(_cold() for _ in range(ROUNDS))
    return [
        within("demo, command to synced, warm", warm, 4.0),
        within("demo, command to synced, no module compiled", cold, 15.0),
    ]


def _cold() -> float:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as compiled:
        return _demo({"PYTHONPYCACHEPREFIX": compiled})


def _demo(environ: Mapping[str, str]) -> float:
    """Seconds; in a folder where no demo has been before."""
    with tempfile.TemporaryDirectory(prefix="jdi-bench-", ignore_cleanup_errors=True) as folder:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("JDI_", "JIRA_", "PYTHON"))}
        command = [sys.executable, "-m", "services.cli", "demo", "--exit"]
        began = time.perf_counter()
        with subprocess.Popen(
            command, cwd=folder, env={**own, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as demo:
            said = []
            for line in demo.stderr or ():
                said.append(line)
                if SYNCED in line:
                    took = time.perf_counter() - began
        if demo.returncode:
            raise RuntimeError(f"the demo failed: {''.join(said)}")
        return took
