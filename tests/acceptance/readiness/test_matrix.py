"""Drives the cells of the matrix against real servers, and holds the page to it.

A system starts for it, and a cell takes seconds: ``READINESS_CELLS=all pytest tests/acceptance/readiness``.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.disk.systems import all_ready
from tests.acceptance.readiness.gated import Gated, gated
from tests.acceptance.readiness.matrix import MATRIX, SERVICES, Cell
from tests.eventually import until
from tests.servers.addresses import NatsServer, PostgresServer, TemporalServer

PAGE = Path(__file__).parents[3] / "docs" / "readiness.md"
ELSEWHERE = {("disk", "full")}
"""Driven in tests/acceptance/disk."""


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


def _as_expected(expected: Cell, found: Cell) -> bool:
    return found.keys() == expected.keys() and all(
        set(checks.split()) <= set(found[name].split()) for name, checks in expected.items()
    )


async def failing(system: Gated) -> Cell:
    """The names of the checks that fail, by service."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:

        async def ask(name: str) -> tuple[str, str]:
            async with session.get(f"http://127.0.0.1:{system.ports[name]}/readyz") as answer:
                checks = (await answer.json())["checks"]
            return name, " ".join(check for check, one in checks.items() if not one["ok"])

        found = dict(await asyncio.gather(*(ask(name) for name in SERVICES)))
    return {name: checks for name, checks in found.items() if checks}


async def alive(system: Gated) -> set[int]:
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
