"""Start telemetry: the loop that follows the log, and health."""

import asyncio

from libs.events import open_when_ready
from libs.runtime import Health, Reported, Stop, event_database, run_service, serve_health
from libs.temporal.connect import connect
from services.telemetry.loop import Reports, run
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
        tasks.create_task(_work(settings, stop, reports), name="telemetry")


async def _work(settings: Settings, stop: Stop, reports: Reports) -> None:
    store = await asyncio.to_thread(open_when_ready, event_database(settings.database_url), stop, reports.log)
    if store is None:
        return
    # Connected when it is needed first: Temporal may be away for now.
    client = await connect(settings.temporal_address, settings.temporal_namespace, access=settings, lazy=True)
    try:
        await run(store, client, settings.nats_url, settings.rules, stop, reports)
    finally:
        store.close()


if __name__ == "__main__":
    run_service("telemetry", Settings, main)
