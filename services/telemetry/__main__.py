"""Start telemetry: the loop that follows the log, and health."""

import asyncio
from collections.abc import Mapping

from libs.events import append_trouble, open_when_ready
from libs.runtime import (
    PROOF_SECONDS,
    Health,
    Reported,
    Stop,
    event_database,
    first_trouble,
    run_service,
    serve_health,
    stores,
)
from libs.temporal.connect import connect, temporal_trouble
from services.telemetry.loop import Reports, run
from services.telemetry.projects import NAME
from services.telemetry.settings import Settings


async def main(settings: Settings, stop: Stop) -> None:
    """Run until told to stop."""
    health, checks = Health(), {name: Reported() for name in ("nats", "log", "backoff", "sweep")}
    for name, check in checks.items():
        health.add(name, check)
    reports = Reports(**{name: check.report for name, check in checks.items()})
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve_health(health, settings.health_host, settings.health_port, stop, settings.allowed_hosts),
            name="health",
        )
        tasks.create_task(_work(settings, stop, health, checks, reports), name="telemetry")


async def _work(
    settings: Settings, stop: Stop, health: Health, checks: Mapping[str, Reported], reports: Reports
) -> None:
    store = await asyncio.to_thread(open_when_ready, event_database(settings.database_url), stop, reports.log)
    if store is None:
        return
    proof = stores(settings.database_url, lambda: append_trouble(store, NAME))
    health.add("log", first_trouble(checks["log"], proof), every=PROOF_SECONDS)
    # Connected when it is needed first: Temporal may be away for now.
    client = await connect(settings.temporal_address, settings.temporal_namespace, access=settings, lazy=True)
    health.add("sweep", first_trouble(checks["sweep"], lambda: temporal_trouble(client)), every=PROOF_SECONDS)
    try:
        await run(store, client, settings.nats_url, settings.rules, stop, reports)
    finally:
        store.close()


if __name__ == "__main__":
    run_service("telemetry", Settings, main)
