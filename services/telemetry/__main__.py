"""Start telemetry: the consumer of sync events, and health."""

import asyncio

from libs.runtime import Health, Reported, Stop, run_service, serve_health
from services.telemetry.settings import Settings
from services.telemetry.watch import watch


async def main(settings: Settings, stop: Stop) -> None:
    """Run until told to stop."""
    nats = Reported()
    health = Health()
    health.add("nats", nats)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_health(health, settings.health_host, settings.health_port, stop))
        tasks.create_task(watch(settings.nats_url, stop, nats.report))


if __name__ == "__main__":
    run_service("telemetry", Settings, main)
