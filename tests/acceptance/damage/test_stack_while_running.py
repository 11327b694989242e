"""What the servers of `jdi up` keep, and the log, damaged while it runs.

Temporal's and NATS' data heal by themselves: syncs go on, the stream is the log again, nothing is lost that the log
holds. The log does not, and nothing makes it worse. ``DAMAGE_TRIALS=27 pytest FILE`` drives every kind; by default one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import nats
import pytest

from libs.embedded import stack_file
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.damage.damages import DAMAGES
from tests.acceptance.disk.systems import PROJECT, Up, all_ready, asked, readiness
from tests.acceptance.disk.test_full_disk import SHOWN, shows, stopped, synced
from tests.acceptance.readiness.matrix import MATRIX, READERS_OF_THE_LOG
from tests.acceptance.stream.judge import held, logged
from tests.eventually import until
from tests.servers.small_disk import SmallDisk

TRIALS: Final = int(os.environ.get("DAMAGE_TRIALS", "1"))
SYNC_SECONDS: Final = 60.0
"""A request that Temporal had taken may be lost with its database: then it is asked for again."""
SYNCS: Final = 4
SERVERS: Final = [
    ("nats", "ten pages"),
    ("temporal.db", "removed"),
    ("temporal.db", "half"),
    ("nats", "removed"),
    *(
        ("temporal.db", kind)
        for kind in ("ten pages", "header", "empty", "garbage", "a folder", "removed with journals")
    ),
    *(("nats", kind) for kind in ("half", "empty", "garbage", "files removed", "header", "zeros")),
    *(("temporal.db", kind) for kind in ("4 KB somewhere", "zeros", "journal overwritten", "journal removed")),
]
LOG_KINDS: Final = ("removed", "garbage", "a folder", "empty", "half", "header", "ten pages")
"""In the first three the file is another one; in the last three some may not read what is gone for a long time."""


@contextlib.asynccontextmanager
async def system_of(folder: Path) -> AsyncIterator[tuple[Up, Simulator]]:
    async with serve(Dataset.generate(projects=(PROJECT,), issues=60)) as jira:
        system = Up(SmallDisk(folder), jira)
        system.start()
        try:
            await all_ready(system)
            await synced(system)
            await shows(system, jira)
            yield system, jira
        except BaseException:
            sys.stdout.write(system.logs()[-12000:])
            raise
        finally:
            with contextlib.suppress(Exception):
                await stopped(system)


def damage(folder: Path, part: str, kind: str, chance: random.Random) -> None:
    """Of NATS' data every file is damaged in that way."""
    if part != "nats":
        DAMAGES[kind](folder / part, chance)
    elif kind == "removed":
        shutil.rmtree(folder / part)
    else:
        for file in [path for path in (folder / part).rglob("*") if path.is_file() and path.stat().st_size]:
            with contextlib.suppress(FileNotFoundError):  # NATS has replaced it meanwhile
                DAMAGES[kind.removeprefix("files ")](file, chance)


async def trial(number: int, system: Up, jira: Simulator) -> str:
    part, kind = SERVERS[number % len(SERVERS)]
    chance = random.Random(number)
    jira.mutate(5, seed=number)
    syncing = asyncio.create_task(synced(system))
    await asyncio.sleep(chance.uniform(0, 2))
    damage(system.folder, part, kind, chance)
    began = time.monotonic()
    asks = await ends(syncing, system)
    jira.mutate(3, seed=1000 + number)
    asks += await ends(asyncio.create_task(synced(system)), system)
    await shows(system, jira)
    await all_ready(system)
    await until(lambda: stream_lacks(system), lambda lacks: not lacks, despite=(nats.errors.Error, OSError))
    # A server that has its file open works on without a name for a while.
    data = system.folder / part
    await until(lambda: asyncio.to_thread(data.is_dir if part == "nats" else data.is_file))
    return f"{part}, {kind}: in step after {time.monotonic() - began:.1f} s, {asks} requests"


async def ends(syncing: asyncio.Task[None], system: Up) -> int:
    """Wait until a sync that was asked for has ended; how often it had to be asked for."""
    asks = 1
    while (await asyncio.wait((syncing,), timeout=SYNC_SECONDS))[1]:
        assert asks < SYNCS, "no sync ends"
        syncing.cancel()
        syncing, asks = asyncio.create_task(synced(system)), asks + 1
    await syncing
    return asks


async def stream_lacks(system: Up) -> set[int]:
    """Positions of events whose bytes no message has."""
    found = stack_file.read(system.folder)
    assert found is not None
    client = await nats.connect(found.nats_url, allow_reconnect=False, error_cb=unheard)
    try:
        bodies = {message.body for message in await held(client)}
        return {event.position for event in logged(found.database_url) if event.state not in bodies}
    finally:
        await client.close()


async def unheard(_error: Exception) -> None:
    """What ends the connection comes to its caller, too."""


@pytest.mark.timeout(3600)
async def test_the_servers_heal_by_themselves(tmp_path: Path) -> None:
    async with system_of(tmp_path) as (system, jira):
        for number in range(min(TRIALS, len(SERVERS))):
            sys.stdout.write(f"{await trial(number, system, jira)}\n")
        assert await stopped(system) < 15
        with contextlib.closing(sqlite3.connect(system.folder / "jdi.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "Traceback" not in (tmp_path / "printed.txt").read_text()


@pytest.mark.timeout(3600)
@pytest.mark.skipif(len(SERVERS) >= TRIALS, reason="a stack starts three times for each kind")
async def test_a_damaged_log_is_told_and_not_made_worse(tmp_path: Path) -> None:
    async with system_of(tmp_path) as (system, jira):
        await stopped(system)
        shutil.copytree(system.folder, tmp_path / "sound")
        for number, kind in enumerate(LOG_KINDS[: TRIALS - len(SERVERS)]):
            system.start()
            await all_ready(system)
            shown = await asked(system, SHOWN)
            DAMAGES[kind](system.folder / "jdi.db", random.Random(number))
            if kind not in LOG_KINDS[-3:]:
                await until(lambda: readiness(system), _gone_is_told if kind in LOG_KINDS[:3] else _log_is_told)
            assert await asked(system, SHOWN) == shown
            await stopped(system)
            before = _content(system.folder / "jdi.db")
            said = (tmp_path / "printed.txt").stat().st_size
            system.start()
            await until(lambda: asyncio.to_thread(system.ended))
            (line,) = (tmp_path / "printed.txt").read_bytes()[said:].decode().splitlines()
            assert line.startswith(f"jdi: the event log {system.folder / 'jdi.db'} is "), line
            assert "jdi restore FILE" in line
            assert _content(system.folder / "jdi.db") == before
            shutil.rmtree(system.folder)
            shutil.copytree(tmp_path / "sound", system.folder)
            sys.stdout.write(f"jdi.db, {kind}: {line[:160]}\n")
        system.start()
        await all_ready(system)
        await synced(system)
        await shows(system, jira)
    assert "Traceback" not in (tmp_path / "printed.txt").read_text()


def _gone_is_told(found: dict[str, str]) -> bool:
    return all(f"{check}: " in found[name] for name, check in MATRIX["event log", "damaged"].items())


def _log_is_told(found: dict[str, str]) -> bool:
    expected = {"ingestor": "event_log", "relay": "event_log", **READERS_OF_THE_LOG}
    return all(f"{check}: " in found[name] for name, check in expected.items())


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
