"""What processes have used: CPU seconds and memory, as the kernel counts them (Linux)."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of a process, its children that live, and all that have ended."""
    own = sum(int(field) for field in _stat(pid)[11:15]) / TICKS
    spent = own
    for child in _children(pid):
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            spent += cpu_seconds(child)
    return spent


def resident_mb(pid: int) -> float:
    """Of the process alone, now."""
    return _status(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """Of the process alone, the most it has had."""
    return _status(pid, "VmHWM")


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold blanks: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def _status(pid: int, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    if found is None:
        raise RuntimeError(f"process {pid} is gone")
    return int(found[1]) / 1000
