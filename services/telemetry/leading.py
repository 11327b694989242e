"""Of several telemetries one works; the others wait for its place.

Were two at work at once, nothing would be derived twice: the lock only saves them the trouble.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import psycopg
import structlog
from temporalio.client import Client

from libs.events import EventStore, leadership, open_store, wakes
from libs.events.leader import StillHeld
from libs.runtime import LAG, POSITION, Stop, asked
from libs.temporal.commands import carry_out
from services.telemetry.ladder import Rules
from services.telemetry.measures import show
from services.telemetry.observing import observe
from services.telemetry.pacing import Pacer
from services.telemetry.sweep import sweep
from services.telemetry.watching import NAME, Key, Watcher

SUBJECTS: Final = ("jira.*.*.sync.*", "jira.*.*.control.*")
RETRY_SECONDS: Final = 1.0
LOCK_CHECK_SECONDS: Final = 5.0

Report = Callable[[str | None], None]
"""Told None when all is well, else the reason why not."""

log = structlog.get_logger(__name__)


class Reports:
    """Who hears how the parts are."""

    def __init__(self, *, nats: Report, log: Report, pace: Report, sweep: Report) -> None:
        self.nats, self.log, self.pace, self.sweep = nats, log, pace, sweep

    def all_well(self) -> None:
        for report in (self.nats, self.log, self.pace, self.sweep):
            report(None)


async def opened(url: str, stop: Stop, report: Report) -> EventStore | None:
    """The event log, as soon as it answers and is migrated; None when told to stop before."""
    while not stop.is_set():
        try:
            return await asyncio.to_thread(open_store, url)
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own; the reason is shown in /readyz
            report(f"the event log cannot be opened: {error}")
            await stop.sleep(RETRY_SECONDS)
    return None


async def lead_in_turn(
    store: EventStore, client: Client, nats_url: str, rules: Rules, stop: Stop, reports: Reports
) -> None:
    """Work while no other does, until `stop`."""
    while not stop.is_set():
        async with contextlib.AsyncExitStack() as stack:
            try:
                held = await stack.enter_async_context(leadership(store.url, NAME))
            except (psycopg.Error, OSError) as error:
                reports.log(f"the event log does not answer: {error}")
            else:
                if held is None:
                    reports.all_well()  # another one works
                else:
                    await _lead(store, client, nats_url, rules, stop, held, reports)
        await stop.sleep(RETRY_SECONDS)


async def _lead(
    store: EventStore, client: Client, nats_url: str, rules: Rules, stop: Stop, held: StillHeld, reports: Reports
) -> None:
    ended, bell = Stop(), asyncio.Event()
    watcher = Watcher(store, rules)
    pacer = Pacer(lambda command: carry_out(client, command), ended, bell.set, reports.pace)
    with contextlib.ExitStack() as measured:
        measured.enter_context(asked(LAG, watcher.waiting, NAME))
        measured.enter_context(asked(POSITION, lambda: watcher.position, NAME))
        measured.callback(show, ())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_until_lost(held, stop, ended))
                tasks.create_task(watch(watcher, pacer, nats_url, bell, ended, reports))
                tasks.create_task(sweep(client, store, lambda: _known(watcher), ended, reports.sweep))
        finally:
            await pacer.close()


async def _until_lost(held: StillHeld, stop: Stop, ended: Stop) -> None:
    while not await stop.sleep(LOCK_CHECK_SECONDS):
        if not await asyncio.to_thread(held):
            log.warning("the lock is lost; another telemetry may take over")
            break
    ended.set()


def _known(watcher: Watcher) -> Sequence[Key]:
    return tuple(watcher.states)


async def watch(
    watcher: Watcher, pacer: Pacer, nats_url: str, bell: asyncio.Event, stop: Stop, reports: Reports
) -> None:
    """Deal with the log as it grows, until `stop`."""
    loaded = False
    waking = wakes(nats_url, durable=NAME, subjects=SUBJECTS, stop=stop, bell=bell, on_health=reports.nats)
    async with contextlib.aclosing(waking):
        async for _ in waking:
            while not stop.is_set():
                try:
                    if not loaded:
                        await asyncio.to_thread(watcher.load)
                        loaded = True
                    await _catch_up(watcher, pacer)
                except Exception as error:
                    log.exception("the log could not be followed; trying again")
                    reports.log(f"{type(error).__name__}: {error}".splitlines()[0])
                    loaded = False  # whether a save that failed was stored only the log knows
                    await stop.sleep(RETRY_SECONDS)
                else:
                    reports.log(None)
                    break


async def _catch_up(watcher: Watcher, pacer: Pacer) -> None:
    while batch := await asyncio.to_thread(watcher.step):
        for recorded in batch:
            observe(recorded)
    show(watcher.states.values())
    pacer.look(watcher.states)
