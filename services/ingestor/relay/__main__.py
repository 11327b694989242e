"""Start the relay: the publishing itself, the alerts about what it finds in the stream, and health."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from libs.events import EventStore, FanOut, append_trouble, open_when_ready, run_relay
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
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.relay.measures import NAME, measured
from services.ingestor.relay.settings import Settings
from services.ingestor.relay.stream_alerts import StreamAlerts

log = structlog.get_logger()


async def main(settings: Settings, stop: Stop) -> None:
    """Run until told to stop. Ready once the event log and NATS have answered, whether this process leads or waits."""
    health, checks = Health(), {name: Reported() for name in ("event_log", "nats")}
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
    stop.then(store.wake)
    with contextlib.closing(store), contextlib.closing(EventLog(store)) as event_log:
        fan_out = FanOut(store, settings.nats_url)
        health.add("event_log", stores(settings.database_url, lambda: append_trouble(store, NAME)), every=PROOF_SECONDS)
        health.add("nats", first_trouble(checks["nats"], fan_out.trouble), every=PROOF_SECONDS)
        alerts = StreamAlerts(SiteAlerts(event_log, settings.site), settings.site)
        await _relay(settings, stop, store, fan_out, checks["nats"], alerts)


async def _relay(
    settings: Settings, stop: Stop, store: EventStore, fan_out: FanOut, nats: Reported, alerts: StreamAlerts
) -> None:
    with measured(store) as relayed:

        def on_position(position: int | None) -> None:
            relayed(position)
            fan_out.relayed(position)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                run_relay(
                    store, settings.nats_url, stop, on_health=nats.report, on_position=on_position, watcher=alerts
                )
            )
            tasks.create_task(alerts.run(stop))


if __name__ == "__main__":
    run_service(NAME, Settings, main)
