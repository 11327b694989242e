"""Disk full and freed at random moments: every /readyz tells the truth, syncs go on by themselves, a stop ends.

By default one trial, with `jdi up`. More, or certain ones, and with separate services as well:
``DISK_TRIALS=30 pytest tests/acceptance/disk`` or ``DISK_TRIALS=7,12-15``. Each prints a line of figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.disk.systems import (
    PROJECT,
    STOP_SECONDS,
    Separate,
    System,
    Up,
    all_ready,
    asked,
    readiness,
)
from tests.acceptance.readiness.matrix import MATRIX
from tests.acceptance.seeds import seeds_of
from tests.eventually import until
from tests.servers.small_disk import SmallDisk, small_disk

ISSUES: Final = 60
TRUTH_SECONDS: Final = 15.0
"""A look at everything takes seconds itself where other tests keep the processors busy."""
RUNS: Final = f'{{ syncRuns(projectId: "{PROJECT}", limit: 200) {{ id result }} }}'
TRIGGER: Final = f'mutation {{ triggerProjectSync(projectId: "{PROJECT}") {{ userErrors {{ code message }} }} }}'
SHOWN: Final = f'{{ issues(projectId: "{PROJECT}", first: 100) {{ nodes {{ key summary }} }} }}'


@asynccontextmanager
async def system_of(kind: str) -> AsyncIterator[tuple[System, SmallDisk, Simulator]]:
    with tempfile.TemporaryDirectory(prefix="jdi-disk-") as folder, contextlib.ExitStack() as opened:
        disk = opened.enter_context(small_disk(Path(folder) / "d", 64 if kind == "up" else 220))
        Path(folder).chmod(0o755)  # PostgreSQL runs as a user of its own
        async with serve(Dataset.generate(projects=(PROJECT,), issues=ISSUES)) as jira:
            if kind == "up":
                system: System = Up(disk, jira)
            else:
                separate = await asyncio.to_thread(Separate, disk, jira, Path(folder) / "elsewhere")
                opened.callback(separate.close)
                system = separate
            await asyncio.to_thread(system.start)
            try:
                yield system, disk, jira
            except BaseException:
                sys.stdout.write(system.logs()[-12000:])
                raise
            finally:
                disk.free()
                with contextlib.suppress(Exception):
                    await stopped(system)


async def stopped(system: System) -> float:
    """Stop it; the seconds that it took."""
    began = time.monotonic()
    system.signal()
    await until(lambda: asyncio.to_thread(system.ended), seconds=60)
    return time.monotonic() - began


async def synced(system: System) -> None:
    """Ask for a sync, and wait until one that began since has ended well."""

    async def ended() -> set[str]:
        return {run["id"] for run in (await asked(system, RUNS))["syncRuns"] if run["result"] == "SUCCESS"}

    before = await until(ended, lambda _: True, despite=(AssertionError, aiohttp.ClientError, TimeoutError))

    async def asked_for() -> bool:
        return not (await asked(system, TRIGGER))["triggerProjectSync"]["userErrors"]

    await until(asked_for, despite=(AssertionError, aiohttp.ClientError, TimeoutError))
    await until(ended, lambda found: found - before, despite=(AssertionError, aiohttp.ClientError, TimeoutError))


async def shows(system: System, jira: Simulator) -> None:
    """Wait until the read tables show every issue as Jira does. What was deleted only a full run sees."""
    wanted = {record.issue.key: record.issue.summary for record in jira.dataset.issues.values()}

    async def shown() -> dict[str, str]:
        return {node["key"]: node["summary"] for node in (await asked(system, SHOWN))["issues"]["nodes"]}

    await until(shown, lambda found: found.items() >= wanted.items(), despite=(AssertionError, aiohttp.ClientError))


async def told(system: System, good: Callable[[dict[str, str]], object]) -> float:
    """Wait until what the services say of themselves is good; the seconds that it took."""
    began = time.monotonic()
    await until(lambda: readiness(system), good)
    return time.monotonic() - began


def none_that_writes(found: dict[str, str]) -> bool:
    return all(f"{checks}: " in found[name] for name, checks in MATRIX["disk", "full"].items())


async def trial(seed: int, system: System, disk: SmallDisk, jira: Simulator) -> str:
    chance = random.Random(seed)
    stop_at = chance.choice(("before", "full", "freed", "", "", ""))
    said = []
    jira.mutate(5, seed=seed)
    syncing = asyncio.create_task(synced(system))
    await asyncio.sleep(chance.uniform(0, 2))
    if stop_at == "before":
        said.append(await stop_and_start(system, chance))
    disk.fill()
    full_at = time.monotonic()
    said.append(f"unready after {await told(system, none_that_writes):.1f} s")
    said.append(f"untrue for {await longest_untruth(system, disk, full_at + chance.uniform(2, 12)):.1f} s at most")
    if stop_at == "full":
        took = await stopped(system)
        assert took < STOP_SECONDS
        said.append(f"stopped on a full disk in {took:.1f} s")
        disk.free()
        await asyncio.to_thread(system.start)
    disk.free()
    if stop_at == "freed":
        said.append(await stop_and_start(system, chance))
    said.append(f"ready after {await all_ready(system):.1f} s")
    began = time.monotonic()
    await asyncio.wait_for(syncing, 180)
    jira.mutate(3, seed=seed + 1000)
    await synced(system)
    await shows(system, jira)
    assert not any((await readiness(system)).values())
    said.append(f"in step after another {time.monotonic() - began:.1f} s")
    return "; ".join(said)


async def longest_untruth(system: System, disk: SmallDisk, end: float) -> float:
    """Keep the disk full until a moment; for how long at a time a service said that it is ready nonetheless.

    What a server has given back is room for a moment, so that a look may be right and late.
    """
    longest, true_at = 0.0, time.monotonic()
    while time.monotonic() < end:
        disk.fill()
        if none_that_writes(await readiness(system)):
            true_at = time.monotonic()
        longest = max(longest, time.monotonic() - true_at)
        await asyncio.sleep(0.3)
    assert longest < TRUTH_SECONDS
    return longest


async def stop_and_start(system: System, chance: random.Random) -> str:
    await asyncio.sleep(chance.uniform(0, 1))
    took = await stopped(system)
    assert took < STOP_SECONDS
    await asyncio.to_thread(system.start)
    await all_ready(system)
    return f"stopped in {took:.1f} s"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["up", "separate"] if "DISK_TRIALS" in os.environ else ["up"])
async def test_a_disk_that_is_full_and_freed_leaves_a_living_system(kind: str) -> None:
    async with system_of(kind) as (system, disk, jira):
        await all_ready(system)
        await synced(system)
        await shows(system, jira)
        for seed in seeds_of("DISK_TRIALS", 1):
            figures = await trial(seed, system, disk, jira)
            sys.stdout.write(f"{kind} {seed}: {figures}\n")
        assert await stopped(system) < STOP_SECONDS
