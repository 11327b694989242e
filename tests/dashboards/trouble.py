"""Ten minutes of the whole system: work all the time, and one trouble after the other."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from libs import events
from libs.embedded import stack_file
from libs.jira_simulator.faults import Fault
from libs.runtime import event_database
from tests.acceptance.backoff.recovery import SITE, World, world
from tests.browser.troubles import Troubles

BUSY: Final = ("DEMO", "SHOP", "TEAM", "PAY")
PAUSED, STALE, REFUSED = "OPS", "HELP", "PAY"
HALF_AN_HOUR: Final = 1800

TOO_MANY: Final = Fault(match="/search/jql", always=True, status=429, headers={"Retry-After": "5"})
UNAVAILABLE: Final = Fault(match="/rest/", always=True, status=503)
SUSPENDED: Final = Fault(
    match="/rest/", always=True, status=403, body='{"message":"Tenant is restricted: suspended-payment"}'
)


@asynccontextmanager
async def busy(folder: Path) -> AsyncIterator[World]:
    """The system with its projects, each synced once."""
    async with world(folder, (*BUSY, PAUSED, STALE), issues=300) as system:
        for project in (*BUSY, PAUSED):
            await system.register(project)
        await system.register(STALE, cron=f"{int(time.time() + HALF_AN_HOUR) // 60 % 60} * * * *")
        yield system


async def ten_minutes(system: World, folder: Path) -> None:
    """Work, and trouble. In the end one project is refused, one stale, one paused."""
    async with asyncio.TaskGroup() as beside:
        works = [beside.create_task(work) for work in (_people(system), _allowances(system))]
        await _troubles_in_turn(system, folder)
        for work in works:
            work.cancel()


async def _troubles_in_turn(system: World, folder: Path) -> None:
    with _told(system) as troubles:
        troubles.last_success(STALE, ago=timedelta(hours=3))
    await asyncio.sleep(45)
    await system.pause(PAUSED, "Jira maintenance until 18:00")
    await _for(20, system, TOO_MANY)
    await asyncio.sleep(30)
    await _standing_still(folder, "projector", 25)
    await asyncio.sleep(30)
    system.doubles.slack.plan(404, "no_service", times=2)
    await _for(40, system, UNAVAILABLE)
    await asyncio.sleep(30)
    await _standing_still(folder, "nats", 40)
    await asyncio.sleep(30)
    system.doubles.whatsapp.plan_error(400, 131056, times=2)
    await _for(60, system, SUSPENDED)
    await asyncio.sleep(90)
    _fail(system, _refusing(system))
    await asyncio.sleep(150)


def _refusing(system: World) -> Fault:
    """Jira no longer knows our token where it is asked for the boards of one project."""
    boards = "|".join(
        str(board.id) for board in system.jira.dataset.directory.boards.values() if board.project == REFUSED
    )
    return Fault(match=f"/board/({boards})/sprint", always=True, status=401)


@contextmanager
def _told(system: World) -> Iterator[Troubles]:
    """What the log can be told without waiting for it."""
    log = events.open_store(event_database(system.stack.database_url))
    try:
        yield Troubles(SITE, log, system.temporal)
    finally:
        log.close()


async def _for(seconds: float, system: World, *faults: Fault) -> None:
    """Jira answers so for a while."""
    _fail(system, *faults)
    await asyncio.sleep(seconds)
    _fail(system)


def _fail(system: World, *faults: Fault) -> None:
    allowances = [fault for fault in system.jira.faults.all if fault in ALLOWANCES]
    system.fail(*faults, *allowances)


async def _standing_still(folder: Path, service: str, seconds: float) -> None:
    """A process that gets no time, as on a machine that has too much to do."""
    stack = stack_file.read(folder)
    assert stack is not None
    os.kill(stack.pids[service], signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(stack.pids[service], signal.SIGCONT)


async def _people(system: World) -> None:
    """Work in Jira, and somebody who asks for syncs."""
    for number in itertools.count():
        system.jira.mutate(40, seed=number)
        await system.sync(BUSY[number % len(BUSY)])
        await asyncio.sleep(1 + number % 5)


ALLOWANCES: Final = [
    Fault(match="/search/jql", always=True, headers={"X-RateLimit-Limit": "100"}),
    Fault(match="/rest/", always=True, headers={"X-RateLimit-Limit": "350"}),
]
"""Right answers that also tell of limits, as Jira's own do."""


async def _allowances(system: World) -> None:
    """A quota of an hour that is used up to a fifth, and limits of seconds that come back."""
    system.jira.faults.add(*ALLOWANCES)
    for left in itertools.count(start=42_000, step=-90):
        quota = {
            "Beta-RateLimit": f'"jira-quota-tenant-based";r={max(left, 9_000)};t=1800',
            "Beta-RateLimit-Policy": '"jira-quota-tenant-based";q=65000;w=3600',
        }
        for fault, burst in zip(ALLOWANCES, (100, 350), strict=True):
            fault.headers.update(quota, **{"X-RateLimit-Remaining": str(burst - left // 90 % 7 * burst // 10)})
        await asyncio.sleep(2)
