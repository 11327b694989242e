"""Start the ingestor: workers on its three queues, and the projects named in the environment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import WorkerDeploymentVersion

from libs.events import EventStore, append_trouble, open_when_ready
from libs.events.hints import hint_prefix
from libs.events.reading.leader import Lease, lead_by_lease
from libs.events.spent_once import SpentOnce
from libs.jira_client import JiraClient
from libs.runtime import (
    PROOF_SECONDS,
    Health,
    Reported,
    Stop,
    event_database,
    run_service,
    serve_health,
    stores,
)
from libs.temporal import tracing
from libs.temporal.access import ConnectError
from libs.temporal.commands import CommandFailedError, Sender, register_project, take_up_hints
from libs.temporal.connect import connect, temporal_trouble
from services.ingestor.census.activities import CensusActivities
from services.ingestor.checkpoints import REFRESH_TOKENS
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.census_schedules import CensusSchedules
from services.ingestor.control.discovery import DiscoveryActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.hints.activities import HintActivities
from services.ingestor.hints.registration.keeping import Registration
from services.ingestor.hints.silence import Silence
from services.ingestor.hints.stretching import Stretching
from services.ingestor.measures import measured, observer_of
from services.ingestor.settings import Settings
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.worker import make_workers

log = structlog.get_logger()

NAME = "ingestor"
HINTS_SECONDS = 60.0
"""Between two looks for hints of webhooks that wait."""
WEBHOOKS_SECONDS = 60.0
"""Between two looks whether webhooks are to be registered, and whether they are alive."""
KEEP_SECONDS = 300.0
"""Between two looks at all schedules."""
RETRY_SECONDS = 1.0
"""Between two looks for a Temporal that does not answer yet."""


async def main(settings: Settings, stop: Stop) -> None:
    """Run until told to stop. Alive from the start, ready once the event log and Temporal have answered."""
    health, checks = Health(), {name: Reported() for name in ("event_log", "temporal")}
    for name, check in checks.items():
        health.add(name, check)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve_health(health, settings.health_host, settings.health_port, stop, settings.allowed_hosts)
        )
        tasks.create_task(_work(settings, stop, health, checks))


async def _work(settings: Settings, stop: Stop, health: Health, checks: Mapping[str, Reported]) -> None:
    """Each check says at first how far the start has come, and proves its path when there is one."""
    check = checks["event_log"]
    store = await asyncio.to_thread(open_when_ready, event_database(settings.database_url), stop, check.report)
    if store is None:
        return
    health.add("event_log", stores(settings.database_url, lambda: append_trouble(store, NAME)), every=PROOF_SECONDS)
    event_log = EventLog(store)
    client = await _connected(settings, stop, checks["temporal"])
    if client is not None:
        health.add("temporal", lambda: temporal_trouble(client), every=PROOF_SECONDS)
        await _serve(settings, stop, store, event_log, client)
    event_log.close()
    store.close()


async def _serve(
    settings: Settings,
    stop: Stop,
    store: EventStore,
    event_log: EventLog,
    client: Client,
) -> None:
    site = settings.site
    async with (
        JiraClient(settings.jira, observer=observer_of(site), refresh_tokens=_refresh_tokens(settings, store)) as jira,
        contextlib.AsyncExitStack() as running,
    ):
        running.enter_context(measured(store, jira.limits.gate, site))
        patience, confirm = timedelta(seconds=settings.jira_patience), settings.jira_confirm
        pauses = [timedelta(seconds=pause) for pause in confirm]
        sync = SyncActivities(event_log, jira, patience, pauses)
        census = CensusActivities(event_log, jira, patience, pauses, share=settings.census_share)
        gateway = ScheduleGateway(client, timedelta(seconds=settings.jitter))
        alerts = SiteAlerts(event_log, site)
        proofs = Proofs(event_log, alerts)
        censuses = CensusSchedules(client, timedelta(seconds=settings.census_seconds))
        control = ControlActivities(event_log, gateway, settings.jira_base_url, proofs, site=site, censuses=censuses)
        discovery = DiscoveryActivities(jira, event_log, proofs)
        hints = HintActivities(event_log, jira, patience, pauses)
        url = str(settings.webhook_url or "")
        workers = make_workers(client, site, sync, census, control, discovery, hints, version=_version(settings))
        for worker in workers:
            await running.enter_async_context(worker)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_hold_place(store, stop))
            tasks.create_task(_register(event_log, client, settings, site))
            tasks.create_task(_keep_schedules(control, site, stop))
            tasks.create_task(_look_for_hints(event_log, client, site, Silence(store, alerts, site), stop))
            registration = Registration(event_log, jira, alerts, site, url)
            stretching = Stretching(store, event_log, alerts, site, settings.hooked_seconds, control.apply_schedule)
            tasks.create_task(_tend_webhooks(settings, registration, stretching, stop))
            log.info(
                "ingestor is ready",
                site=site,
                jira=settings.jira_base_url,
                way=settings.way_to(settings.jira_address),
                signs_in="by OAuth 2.0" if settings.signs_in_by_oauth else "by an API token",
                projects=settings.jira_projects,
            )
            await stop.wait()


async def _hold_place(store: EventStore, stop: Stop) -> None:
    """Have one of the ingestors hold a lock beside the log: who changes the log as a whole finds them at work."""
    await lead_by_lease(store.url, NAME, stop, Lease.wait, on_health=lambda _: None)


def _refresh_tokens(settings: Settings, store: EventStore) -> SpentOnce | None:
    """Where the refresh token and its successors are kept; None where one signs in otherwise."""
    if settings.oauth_refresh_token is None or settings.oauth_client_secret is None:
        return None
    return SpentOnce(
        store,
        settings.database_url,
        REFRESH_TOKENS,
        settings.oauth_refresh_token,
        settings.oauth_client_secret,
    )


async def _connected(settings: Settings, stop: Stop, check: Reported) -> Client | None:
    """Wait for Temporal to answer: it may start later than we do."""
    while not stop.is_set():
        try:
            client = await connect(
                settings.temporal_address,
                settings.temporal_namespace,
                access=settings,
                metrics_address=settings.temporal_metrics,
            )
        except ConnectError as error:
            check.report(str(error))
            log.warning("Temporal cannot be reached yet", why=str(error))
            await stop.sleep(RETRY_SECONDS)
        else:
            check.report(None)
            return client
    return None


async def _register(event_log: EventLog, client: Client, settings: Settings, site: str) -> None:
    """Register what JIRA_PROJECTS names, once: a project that somebody has unregistered since stays so."""
    sender = Sender(client, await event_log.command_key())
    for project in settings.jira_projects:
        try:
            await register_project(
                sender,
                site=site,
                project=project,
                cron=settings.default_cron,
                timezone="UTC",
                actor="JIRA_PROJECTS",
                command_id=f"JIRA_PROJECTS:{site}/{project}",
            )
        except CommandFailedError as error:
            log.error("project could not be registered", project=project, why=str(error))  # noqa: TRY400


async def _keep_schedules(control: ControlActivities, site: str, stop: Stop) -> None:
    """Look now and then whether Temporal still holds what the log says; a schedule may be lost behind our back."""
    while not stop.is_set():
        try:
            await control.keep(site)
        except Exception as error:  # noqa: BLE001 - the log or Temporal are away: the next look finds them
            log.warning("schedules could not be looked after", why=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=KEEP_SECONDS)


async def _look_for_hints(event_log: EventLog, client: Client, site: str, silence: Silence, stop: Stop) -> None:
    """Look now and then whether hints wait that nobody was told of, or whose run has failed; or whether none come."""
    while not stop.is_set():
        try:
            if await event_log.checkpoints(hint_prefix(site)):
                await take_up_hints(client, site)
            await silence.look(datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - the log or Temporal are away: the next look finds them
            log.warning("hints of webhooks could not be looked for", why=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=HINTS_SECONDS)


async def _tend_webhooks(settings: Settings, registration: Registration, stretching: Stretching, stop: Stop) -> None:
    """Keep what depends on webhooks as it should be, in one of the ingestors at a time."""

    async def look() -> bool:
        try:
            if settings.signs_in_by_oauth:
                await registration.look(datetime.now(UTC))
            await stretching.look(datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - the log or Temporal are away: the next look finds them
            log.warning("webhooks could not be looked after", why=str(error))
            return False
        return True

    async def lead(lease: Lease) -> None:
        while not lease.is_set():
            await look()
            await lease.sleep(WEBHOOKS_SECONDS)

    if settings.signs_in_by_oauth or settings.hooked_seconds:
        name = f"webhooks-{settings.site}"
        await lead_by_lease(settings.database_url, name, stop, lead, on_health=lambda _: None)
    # Else there is nothing to be tended, once what was stretched before is let go.
    while not stop.is_set() and not await look():
        await stop.sleep(WEBHOOKS_SECONDS)


def _version(settings: Settings) -> WorkerDeploymentVersion | None:
    """Of the workers; None where nobody steers versions."""
    if not settings.deployment_name:
        return None
    return WorkerDeploymentVersion(deployment_name=settings.deployment_name, build_id=settings.build_id)


if __name__ == "__main__":
    run_service(NAME, Settings, main, make_tracer_provider=tracing.provider)
