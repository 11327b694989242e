"""The main loop of telemetry. Of several processes one leads, by a lease beside the log; the others wait for it.

    lead         run, _lead: the loop below, and the sweep of Temporal's runs beside it
    load         Projects.load: what was saved of every project
    read         woken by NATS, _catch_up: the log from there on, batch by batch
    decide       Projects.step: the new states and the alert events that follow; saved with the position
    correct      BackoffController.reconcile: ask the ingestor, where a schedule has not the backoff it should have

Should two processes lead for a moment, nothing is derived twice: see `Projects`. The lease only saves them the trouble.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from temporalio.client import Client

from libs.events import EventStore, Lease, ProjectKey, StoreError, command_key, lead_by_lease, log_trouble, wakes
from libs.runtime import LAG, POSITION, Stop, asked
from libs.temporal.commands import Sender, carry_out
from services.telemetry.backoff import Rules
from services.telemetry.backoff_commands import BackoffCommand, BackoffController
from services.telemetry.event_counts import count_event
from services.telemetry.measures import show
from services.telemetry.projects import NAME, Projects
from services.telemetry.sweep.loop import sweep

SUBJECTS: Final = ("jira.*.*.sync.*", "jira.*.*.census.*", "jira.*.*.control.*")
RETRY_SECONDS: Final = 1.0

Report = Callable[[str | None], None]
"""Hears None when all is well, else the reason why not."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Where each part reports its health."""

    nats: Report
    log: Report
    backoff: Report
    sweep: Report

    def all_well(self) -> None:
        for report in (self.nats, self.log, self.backoff, self.sweep):
            report(None)


async def run(store: EventStore, client: Client, nats_url: str, rules: Rules, stop: Stop, reports: Reports) -> None:
    """Work while this process leads, stand by while another one does, until told to stop."""

    async def lead(lease: Lease) -> None:
        await _lead(store, client, nats_url, rules, lease, reports)

    await lead_by_lease(store.url, NAME, stop, lead, on_health=reports.log, on_standby=reports.all_well)


async def _lead(store: EventStore, client: Client, nats_url: str, rules: Rules, lease: Lease, reports: Reports) -> None:
    bell = asyncio.Event()
    projects = Projects(store, rules)

    async def give(command: BackoffCommand) -> None:
        await carry_out(Sender(client, await asyncio.to_thread(command_key, store)), command)

    controller = BackoffController(give, lease, bell.set, reports.backoff)

    def registered() -> Sequence[ProjectKey]:
        return tuple(projects.states)

    with contextlib.ExitStack() as measured:
        measured.enter_context(asked(LAG, projects.waiting, NAME))
        measured.enter_context(asked(POSITION, lambda: projects.position, NAME))
        measured.callback(show, ())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    follow(projects, controller, nats_url, store.url, bell, lease, reports), name="follow the log"
                )
                tasks.create_task(sweep(client, store, registered, lease, reports.sweep), name="sweep")
        finally:
            await controller.close()


async def follow(
    projects: Projects,
    controller: BackoffController,
    nats_url: str,
    log_url: str,
    bell: asyncio.Event,
    lease: Lease,
    reports: Reports,
) -> None:
    """Catch up with the log whenever it may have grown, until the lease is over."""
    loaded = False
    waking = wakes(nats_url, durable=NAME, subjects=SUBJECTS, stop=lease, bell=bell, on_health=reports.nats)
    async with contextlib.aclosing(waking):
        async for _ in waking:
            while await lease.still_held():
                try:
                    if not loaded:
                        await asyncio.to_thread(projects.load)
                        loaded = True
                    await _catch_up(projects, controller, lease)
                except Exception as error:
                    why = log_trouble(log_url, error)
                    known = isinstance(error, StoreError)  # its text says all; a mistake of ours needs its traceback
                    log.warning("the log could not be followed; trying again", why=why, exc_info=not known)
                    reports.log(f"{type(error).__name__}: {why}".splitlines()[0])
                    loaded = False  # whether a save that failed was stored only the log knows
                    await lease.sleep(RETRY_SECONDS)
                else:
                    reports.log(None)
                    break


async def _catch_up(projects: Projects, controller: BackoffController, lease: Lease) -> None:
    while await lease.still_held() and (batch := await asyncio.to_thread(projects.step)):
        for recorded in batch:
            count_event(recorded)
    show(projects.states.values())
    controller.reconcile(projects.states)
