"""Run benchmarks: `python -m benchmarks [append transactions relay rebuild …]`; none named runs those with targets.

Prints every figure with its target; exits 1 when one is missed. Absolute figures differ from machine to machine; those
in the unit `ratio` were measured beside their reference in the same run.

`python -m benchmarks --quick` measures no time: it counts what work costs (`benchmarks.guard`), in half a minute.
"""

import importlib
import subprocess
import sys

from benchmarks.rows import Row

BENCHMARKS = {
    "append": "log.append",
    "relay": "log.relay",
    "rebuild": "reading.rebuild",
    "census": "census",
    "hooks": "whole.hooks",
    "latency": "whole.latency",
    "slow_runs": "slow_runs",
    "main_job": "whole.main_job",
    "tracing": "whole.tracing",
}
"""Name to module."""
ON_DEMAND = {"transactions": "log.transactions", "partitions": "log.partitions"}
"""Figures without a target, for decisions: docs/capacity.md tells what they led to."""


QUICK = "--quick"


def main(names: list[str]) -> int:
    if QUICK in names:
        return quick([name for name in names if name != QUICK])
    known = BENCHMARKS | ON_DEMAND
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}\n")
        return 2
    missed = 0
    for name in names or BENCHMARKS:
        rows: list[Row] = importlib.import_module(f"benchmarks.{known[name]}").run()
        for row in rows:
            target = "" if row.target is None else f"target {row.target:g}"
            verdict = "" if row.target is None else "ok" if row.ok else "MISSED"
            print(f"{row.what:<70} {row.value:>12,.3f} {row.unit:<10} {target:<14} {verdict}", flush=True)
            missed += not row.ok
    return 1 if missed else 0


def quick(options: list[str]) -> int:
    """In a process of its own, which nothing else has warmed."""
    return subprocess.run([sys.executable, "-m", "benchmarks.guard", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
