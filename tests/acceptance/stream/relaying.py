"""Relays as the ingestor does, alerts included: `python -m tests.acceptance.stream.relaying LOG NATS`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from libs.events import open_store, run_relay
from libs.runtime import Stop
from services.ingestor.event_log import EventLog
from services.ingestor.site_alerts import SiteAlerts, StreamAlerts


async def main(url: str, nats_url: str) -> None:
    stop = Stop()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = open_store(url)
    with contextlib.closing(store), contextlib.closing(EventLog(store)) as log:
        alerts = StreamAlerts(SiteAlerts(log, "acme"), "acme")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_relay(store, nats_url, stop, watcher=alerts))
            tasks.create_task(alerts.run(stop))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
