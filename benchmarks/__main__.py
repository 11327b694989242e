"""Run benchmarks: `python -m benchmarks [append transactions relay rebuild …]`; none named runs those with targets.

Prints every figure with its target; exits 1 when one is missed. Absolute figures differ from machine to machine; those
in the unit `ratio` were measured beside their reference in the same run.

`python -m benchmarks --quick` measures no time: it counts what work costs (`benchmarks.guard`), in half a minute.
"""

import importlib
import subprocess
import sys
import traceback

from benchmarks.rows import Row

BENCHMARKS = {
    "append": "log.append",
    "relay": "log.relay",
    "rebuild": "reading.rebuild",
    "main_job": "whole.main_job",
    "start": "whole.start",
    "census": "census",
    "hooks": "whole.hooks",
    "latency": "whole.latency",
    "slow_runs": "slow_runs",
}
"""Name to module."""
ON_DEMAND = {"transactions": "log.transactions", "partitions": "log.partitions", "tracing": "whole.tracing"}
"""Figures without a target, for decisions: docs/capacity.md and docs/observe.md tell what they led to."""
QUICK = "--quick"


def main(names: list[str]) -> int:
    if QUICK in names:
        return quick([name for name in names if name != QUICK])
    known = BENCHMARKS | ON_DEMAND
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}\n")
        return 2
    missed = sum(_missed(name, known[name]) for name in names or BENCHMARKS)
    return 1 if missed else 0


def _missed(name: str, module: str) -> int:
    """Run one, and print its figures; how many of its targets it missed. One that breaks has missed one."""
    try:
        rows: list[Row] = importlib.import_module(f"benchmarks.{module}").run()
    except Exception:  # noqa: BLE001 - the others are to run
        traceback.print_exc()
        print(f"{name:<70} BROKEN", flush=True)
        return 1
    for row in rows:
        target = "" if row.target is None else f"target {row.target:g}"
        verdict = "" if row.target is None else "ok" if row.ok else "MISSED"
        print(f"{row.what:<70} {row.value:>12,.3f} {row.unit:<10} {target:<14} {verdict}", flush=True)
    return sum(not row.ok for row in rows)


def quick(options: list[str]) -> int:
    """In a process of its own, which nothing else has warmed."""
    return subprocess.run([sys.executable, "-m", "benchmarks.guard", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
