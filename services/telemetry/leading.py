"""Of several telemetries one works; the others wait for its place.

Were two at work at once, nothing would be derived twice: the lock only saves them the trouble.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from temporalio.client import Client

from libs.events import EventStore, Lease, lead_by_lease, wakes
from libs.runtime import LAG, POSITION, Stop, asked
from libs.temporal.commands import carry_out
from services.telemetry.backoff import Rules
from services.telemetry.backoff_commands import BackoffController
from services.telemetry.loop import NAME, Key, Watcher
from services.telemetry.measures import show
from services.telemetry.observing import observe
from services.telemetry.sweep.sweep import sweep

SUBJECTS: Final = ("jira.*.*.sync.*", "jira.*.*.control.*")
RETRY_SECONDS: Final = 1.0

Report = Callable[[str | None], None]
"""Told None when all is well, else the reason why not."""

log = structlog.get_logger(__name__)


class Reports:
    """Who hears how the parts are."""

    def __init__(self, *, nats: Report, log: Report, backoff: Report, sweep: Report) -> None:
        self.nats, self.log, self.backoff, self.sweep = nats, log, backoff, sweep

    def all_well(self) -> None:
        for report in (self.nats, self.log, self.backoff, self.sweep):
            report(None)


async def work_while_leading(
    store: EventStore, client: Client, nats_url: str, rules: Rules, stop: Stop, reports: Reports
) -> None:
    """Work while no other does, until `stop`."""

    async def lead(lease: Lease) -> None:
        await _lead(store, client, nats_url, rules, lease, reports)

    await lead_by_lease(store.url, NAME, stop, lead, on_health=reports.log, on_standby=reports.all_well)


async def _lead(store: EventStore, client: Client, nats_url: str, rules: Rules, lease: Lease, reports: Reports) -> None:
    bell = asyncio.Event()
    watcher = Watcher(store, rules)
    controller = BackoffController(lambda command: carry_out(client, command), lease, bell.set, reports.backoff)
    with contextlib.ExitStack() as measured:
        measured.enter_context(asked(LAG, watcher.waiting, NAME))
        measured.enter_context(asked(POSITION, lambda: watcher.position, NAME))
        measured.callback(show, ())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(watch(watcher, controller, nats_url, bell, lease, reports))
                tasks.create_task(sweep(client, store, lambda: _known(watcher), lease, reports.sweep))
        finally:
            await controller.close()


def _known(watcher: Watcher) -> Sequence[Key]:
    return tuple(watcher.states)


async def watch(
    watcher: Watcher, controller: BackoffController, nats_url: str, bell: asyncio.Event, lease: Lease, reports: Reports
) -> None:
    """Deal with the log as it grows, until the turn is over."""
    loaded = False
    waking = wakes(nats_url, durable=NAME, subjects=SUBJECTS, stop=lease, bell=bell, on_health=reports.nats)
    async with contextlib.aclosing(waking):
        async for _ in waking:
            while await lease.still_held():
                try:
                    if not loaded:
                        await asyncio.to_thread(watcher.load)
                        loaded = True
                    await _catch_up(watcher, controller, lease)
                except Exception as error:
                    log.exception("the log could not be followed; trying again")
                    reports.log(f"{type(error).__name__}: {error}".splitlines()[0])
                    loaded = False  # whether a save that failed was stored only the log knows
                    await lease.sleep(RETRY_SECONDS)
                else:
                    reports.log(None)
                    break


async def _catch_up(watcher: Watcher, controller: BackoffController, lease: Lease) -> None:
    while await lease.still_held() and (batch := await asyncio.to_thread(watcher.step)):
        for recorded in batch:
            observe(recorded)
    show(watcher.states.values())
    controller.look(watcher.states)
