"""Start the GraphQL service."""

import asyncio

import structlog
from aiohttp import web

from libs.read_tables import readiness
from libs.runtime import Health, Stop, engine, read_database, run_service
from services.graphql.app import make_app
from services.graphql.auth import admin_token
from services.graphql.queries import Queries
from services.graphql.scheduler import Scheduler
from services.graphql.settings import Settings, is_loopback

log = structlog.get_logger(__name__)


async def main(settings: Settings, stop: Stop) -> None:
    """Serve until told to stop."""
    local = is_loopback(settings.host)
    token, made = admin_token(settings.admin_token, settings.data_dir)
    tables = engine(read_database(settings.database_url), read_only=True)
    health = Health()
    health.add("read_tables", lambda: asyncio.to_thread(readiness, tables))
    scheduler = Scheduler(settings.temporal_address, settings.temporal_namespace)
    app = make_app(Queries(tables), scheduler, token, health, local_only=local)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        url = f"http://{settings.host}:{runner.addresses[0][1]}/graphql"
        log.info("graphql is ready", url=url)
        if made:
            # Printed once, to the person who starts it: the log's redaction would rightly hide it.
            print(f"admin token (kept in {settings.data_dir / 'admin-token'}): {token}", flush=True)  # noqa: T201
        await stop.wait()
    finally:
        await runner.cleanup()
        tables.dispose()


if __name__ == "__main__":
    run_service("graphql", Settings, main)
