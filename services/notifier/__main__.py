"""Start the notifier: its loop, and health."""

import asyncio

import structlog

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
from services.notifier.channels.table import adapters_of
from services.notifier.delivery.send import Outlet
from services.notifier.heartbeat import Heartbeat
from services.notifier.loop import Notifier
from services.notifier.measures import CHANNELS
from services.notifier.saved_state import NAME
from services.notifier.settings import Settings
from services.notifier.watch import own, readyz, watch

log = structlog.get_logger(__name__)


async def main(settings: Settings, stop: Stop) -> None:
    """Run until told to stop."""
    state, health = Reported(), Health()
    health.add("notices", state)
    outlet = Outlet(adapters_of(settings), secrets=settings.secrets, seconds=settings.send_timeout)
    CHANNELS.set(len(outlet.channels))
    if not outlet.channels:
        log.warning("no channel is set up: alerts are logged, nobody is told", advice="see docs/notifications.md")
    watched = {NAME: own(health)} | {name: readyz(url) for name, url in settings.watch}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_health(health, settings.health_host, settings.health_port, stop))
        tasks.create_task(watch(watched, outlet, settings.watch_seconds, stop), name="watch")
        tasks.create_task(_notify(settings, stop, health, state, outlet))


async def _notify(settings: Settings, stop: Stop, health: Health, state: Reported, outlet: Outlet) -> None:
    store = await asyncio.to_thread(open_when_ready, event_database(settings.database_url), stop, state.report)
    if store is None:
        return
    proof = stores(settings.database_url, lambda: append_trouble(store, NAME))
    health.add("notices", first_trouble(state, proof), every=PROOF_SECONDS)
    try:
        notifier = Notifier(
            store, settings.policy, outlet, public_url=settings.public_url, heartbeat=_heartbeat(settings, outlet)
        )
        await notifier.run(settings.nats_url, stop, state.report)
    finally:
        store.close()


def _heartbeat(settings: Settings, outlet: Outlet) -> Heartbeat | None:
    """Without a channel nobody would be told: no dead man's switch may believe otherwise."""
    if settings.heartbeat_url is None or not outlet.channels:
        return None
    allow_insecure = settings.allow_insecure
    return Heartbeat(settings.heartbeat_url, settings.heartbeat_seconds, allow_insecure=allow_insecure, way=settings)


if __name__ == "__main__":
    run_service("notifier", Settings, main)
