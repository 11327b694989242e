"""`make dashboards` collects ten minutes of a system in trouble and draws them; `ARGS=--again` draws the last ones."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from libs.embedded.stack_file import StackFile
from tests.browser.conftest import chromium
from tests.dashboards.panels import Window, drawn, is_empty
from tests.dashboards.prometheus import INTERVAL, QueryError, prometheus
from tests.dashboards.trouble import busy, ten_minutes
from tests.unit.observe.catalogue import ROOT
from tests.unit.observe.dashboards import DASHBOARDS, dashboard

COLLECTED: Final = ROOT / "build" / "dashboards"
ENDED: Final = COLLECTED / "ended"
PICTURES: Final = ROOT / "docs" / "pictures"
UPLOT: Final = ROOT / "build" / "uplot" / "package" / "dist"
HERE: Final = Path(__file__).parent
WIDTH: Final = 1240
SHOWN: Final = 600
"""s, the whole of what is collected."""


async def main() -> int:
    """The exit code: 1 when Prometheus does not take a query of a panel."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--again", action="store_true", help="draw what was collected before")
    if not asked.parse_args().again:
        await _collect()
    end = float(ENDED.read_text())
    try:
        async with prometheus(COLLECTED, ()) as server:
            boards = {path: await drawn(dashboard(path), server, Window(end - SHOWN, end)) for path in DASHBOARDS}
    except QueryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    await _draw(boards)
    for path, board in boards.items():
        for panel in filter(is_empty, board["panels"]):
            sys.stdout.write(f"empty: {path.stem}: {panel['title']}\n")
    return 0


async def _collect() -> None:
    shutil.rmtree(COLLECTED, ignore_errors=True)
    COLLECTED.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="jdi-dashboards-") as folder:
        async with busy(Path(folder)) as system, prometheus(COLLECTED, _targets(system.stack)):
            await ten_minutes(system, Path(folder))
            await asyncio.sleep(2 * INTERVAL)
            ENDED.write_text(str(time.time() // INTERVAL * INTERVAL - INTERVAL))


def _targets(stack: StackFile) -> Sequence[str]:
    healths = [port for name, port in stack.ports.items() if name.startswith("health-") and name != "health-graphql"]
    return [f"127.0.0.1:{port}" for port in healths] + [stack.graphql_url.removeprefix("http://")]


async def _draw(boards: dict[Path, dict[str, Any]]) -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": WIDTH, "height": 400}, timezone_id="UTC")
        for path, board in boards.items():
            await _page(page, board)
            picture = PICTURES / f"dashboard-{path.stem}.png"
            await page.screenshot(path=picture, full_page=True)
            sys.stdout.write(f"{picture.relative_to(ROOT)}: {picture.stat().st_size // 1024} KB\n")


async def _page(page: Page, board: dict[str, Any]) -> None:
    await page.set_content('<!doctype html><html lang="en"><body></body></html>')
    for style in (UPLOT / "uPlot.min.css", HERE / "draw.css"):
        await page.add_style_tag(path=style)
    for script in (UPLOT / "uPlot.iife.min.js", HERE / "units.js", HERE / "draw.js"):
        await page.add_script_tag(path=script)
    await page.evaluate("board => draw(board)", board)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
