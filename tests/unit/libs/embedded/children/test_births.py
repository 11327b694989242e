"""Children that the nursery makes, as real processes: they are as if we had started them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from libs.embedded.children.births import AVAILABLE, Nursery
from libs.embedded.children.child import ChildSpec
from libs.embedded.children.supervisor import Supervisor
from libs.embedded.probes import at_once
from tests.eventually import until

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="there is no nursery on this system")

SHOWN = "tests.unit.libs.embedded.children.shown_child"
"""A module that prints what it sees of itself, and waits when it is told to."""
MODULES = ("decimal", "fractions", "statistics", "calendar", "textwrap")
ROOT = Path(__file__).parents[5]


@asynccontextmanager
async def nursery(*groups: tuple[str, ...]) -> AsyncIterator[Nursery]:
    made = Nursery(groups or (MODULES,), {"PATH": os.environ["PATH"], "PLAIN": "1"})
    await made.open()
    try:
        yield made
    finally:
        made.kill()
        await made.close()


def spec(*arguments: str, **environ: str) -> ChildSpec:
    argv = (sys.executable, "-m", SHOWN, *arguments)
    return ChildSpec(name="shown", argv=argv, environ=environ, ready=at_once, of_nursery=True)


async def shown(made: Nursery | None, *arguments: str, **environ: str) -> tuple[dict[str, Any], int]:
    """What a child prints of itself, and its exit code."""
    lines: list[str] = []
    code = await Supervisor(lambda _, __: None, nursery=made).run(spec(*arguments, **environ), lines.append)
    return json.loads(lines[0]), code


async def test_a_child_of_the_nursery_is_as_one_that_was_started() -> None:
    async with nursery() as made:
        child, code = await shown(made, "3", ITS_OWN="yes")
    started, _ = await shown(None, "3", ITS_OWN="yes", PATH=os.environ["PATH"])
    assert code == 3
    assert child["parent"] == os.getpid()
    assert child["group"] == child["pid"]
    assert child["argv"] == started["argv"]
    assert child["environ"] == {"ITS_OWN": "yes"}
    assert child["cmdline"] == started["cmdline"], "ps shows what it is"
    assert child["frozen"] > 0, "what was imported for all is shared"
    assert started["frozen"] == 0
    assert set(MODULES) <= set(child["modules"])


async def test_nothing_that_one_child_is_told_reaches_the_next_or_the_nursery() -> None:
    secret = "a-secret-of-the-first"
    async with nursery() as made:
        await shown(made, "0", SECRET=secret)
        second, _ = await shown(made, "0")
        assert "SECRET" not in second["environ"]
        assert made.pid is not None
        assert secret.encode() not in memory_of(made.pid)


def memory_of(pid: int) -> bytes:
    """All that a process may write, as it is now."""
    held = b""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in place.split("-"))
            if rights.startswith("rw"):
                memory.seek(begin)
                held += memory.read(end - begin)
    return held


async def test_children_live_on_when_the_nursery_has_ended_and_their_end_is_known() -> None:
    supervisor, lines = Supervisor(lambda _, __: None), list[str]()
    async with nursery() as made:
        supervisor = Supervisor(lambda _, line: lines.append(line), nursery=made)
        await supervisor.start([spec("wait")])
        first = supervisor.pids()["shown"]
        await until(lambda: len(lines), lambda found: found == 1)
    assert supervisor.pids() == {"shown": first}
    os.kill(first, signal.SIGKILL)
    await until(supervisor.pids, lambda pids: pids.get("shown", first) != first)
    await until(lambda: len(lines), lambda found: found > 2)  # started again, without a nursery
    assert "ended with signal 9; starts again in 0.2 s" in lines
    await supervisor.stop()
    assert supervisor.pids() == {}


async def test_a_nursery_that_dies_costs_time_and_nothing_else() -> None:
    async with nursery(("no.such.module",)) as made:
        child, code = await shown(made, "4", PATH=os.environ["PATH"])
        assert (code, child["frozen"]) == (4, 0)


async def test_one_that_nobody_waits_for_any_more_is_ended() -> None:
    async with nursery() as made:
        asking = asyncio.ensure_future(made.bear(spec("wait").argv, {}))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await made.close()
    await until(lambda: waiting_children(os.getpid()), lambda found: not found)


def waiting_children(parent: int) -> list[str]:
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for pid in found if SHOWN.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_children_end_with_the_process_that_asked_for_them() -> None:
    program = """
import asyncio, os, sys
from tests.unit.libs.embedded.children.test_births import nursery, spec
from libs.embedded.children.supervisor import Supervisor

async def main():
    async with nursery() as made:
        supervisor = Supervisor(lambda _, line: print(supervisor.pids()["shown"], flush=True), nursery=made)
        await supervisor.start([spec("wait")])
        await asyncio.sleep(600)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    status = Path(f"/proc/{child}/status")
    for _ in range(600):
        if not status.exists() or "zombie" in status.read_text():
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError(f"{child} lives on")
