"""Drives the cells of the matrix against real servers, and holds the page to it.

A system starts for it, and a cell takes seconds: ``READINESS_CELLS=all pytest tests/acceptance/readiness``.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.damage.test_stack_while_running import damage, system_of
from tests.acceptance.disk.systems import Listening, Up, all_ready
from tests.acceptance.readiness.gated import gated
from tests.acceptance.readiness.matrix import DAMAGED, MATRIX, SERVICES, Cell
from tests.eventually import until
from tests.servers.addresses import NatsServer, PostgresServer, TemporalServer

WELL_SECONDS = 15.0
"""After which what was damaged has healed: a look at the data of a server may take ten to come."""
PAGE = Path(__file__).parents[3] / "docs" / "readiness.md"
ELSEWHERE = {("disk", "full"), *((part, "damaged") for part in DAMAGED)}
"""Driven in tests/acceptance/disk, and below."""


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("READINESS_CELLS"), reason="the whole matrix takes minutes: READINESS_CELLS=all")
async def test_every_service_says_what_the_matrix_says(
    tmp_path: Path, postgres: PostgresServer, nats: NatsServer, temporal: TemporalServer
) -> None:
    async with gated(tmp_path, postgres, nats, temporal) as system:
        await all_ready(system)
        for (part, kind), expected in MATRIX.items():
            if (part, kind) in ELSEWHERE:
                continue
            async with system.trouble(part, kind):
                if os.environ["READINESS_CELLS"] == "look":
                    await asyncio.sleep(12)
                    sys.stdout.write(f"{(part, kind)}: {await failing(system)}\n")
                else:
                    await until(functools.partial(failing, system), functools.partial(_as_expected, expected))
                assert await alive(system) == {200}
            await all_ready(system)


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("READINESS_CELLS"), reason="the whole matrix takes minutes: READINESS_CELLS=all")
async def test_every_service_says_what_the_matrix_says_of_damaged_files(tmp_path: Path) -> None:
    async with system_of(tmp_path) as (system, _):
        for part, (name, kind) in DAMAGED.items():
            damage(system.folder, name, kind, random.Random(part))
            expected = MATRIX[part, "damaged"]
            if part == "event log":
                await until(functools.partial(failing, system), functools.partial(_as_expected, expected))
            else:
                seen = await until_healed(system)
                sys.stdout.write(f"{(part, 'damaged')}: {seen}\n")
                assert os.environ["READINESS_CELLS"] == "look" or _as_expected(expected, seen)
            assert await alive(system) == {200}


async def until_healed(system: Up) -> Cell:
    """What failed, from the first trouble, or from now on, until nothing has failed for some time."""
    seen: dict[str, set[str]] = {}
    well_since = time.monotonic()
    while time.monotonic() - well_since < WELL_SECONDS:
        now = await failing(system)
        for service, checks in now.items():
            seen.setdefault(service, set()).update(checks.split())
        if now:
            well_since = time.monotonic()
    return {service: " ".join(sorted(checks)) for service, checks in seen.items()}


def _as_expected(expected: Cell, found: Cell) -> bool:
    return found.keys() == expected.keys() and all(
        set(checks.split()) <= set(found[name].split()) for name, checks in expected.items()
    )


async def failing(system: Listening) -> Cell:
    """The names of the checks that fail, by service."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:

        async def ask(name: str) -> tuple[str, str]:
            async with session.get(f"http://127.0.0.1:{system.ports[name]}/readyz") as answer:
                checks = (await answer.json())["checks"]
            return name, " ".join(check for check, one in checks.items() if not one["ok"])

        found = dict(await asyncio.gather(*(ask(name) for name in SERVICES)))
    return {name: checks for name, checks in found.items() if checks}


async def alive(system: Listening) -> set[int]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:

        async def ask(name: str) -> int:
            async with session.get(f"http://127.0.0.1:{system.ports[name]}/livez") as answer:
                return answer.status

        return set(await asyncio.gather(*(ask(name) for name in SERVICES)))


def test_the_page_shows_the_matrix() -> None:
    assert "\n".join(rows()) in PAGE.read_text(encoding="utf-8")


def rows() -> list[str]:
    """The matrix as a table of Markdown."""
    cells = (
        f"| {part} | {kind} |" + "".join(f" {_shown(cell.get(name, ''))} |" for name in SERVICES)
        for (part, kind), cell in MATRIX.items()
    )
    head = "| what is unwell | how |" + "".join(f" {name} |" for name in SERVICES)
    return [head, "|---|---|" + "---|" * len(SERVICES), *cells]


def _shown(checks: str) -> str:
    return " ".join(f"`{check}`" for check in checks.split()) or "ready"
