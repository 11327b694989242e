"""Start the GraphQL service."""

import asyncio
import ipaddress
from collections.abc import Sequence

import structlog
from aiohttp import web
from temporalio.client import Client

from libs.read_tables import readiness
from libs.runtime import Health, Stop, engine, read_database, run_service
from libs.temporal.commands import request_sync
from libs.temporal.connect import connect
from services.graphql.app import make_app
from services.graphql.auth import admin_token
from services.graphql.queries import Queries
from services.graphql.settings import Settings

log = structlog.get_logger(__name__)


async def main(settings: Settings, stop: Stop) -> None:
    """Serve until told to stop."""
    local = is_loopback(settings.host)
    if not local and not settings.behind_proxy:
        raise SystemExit(
            f"graphql: JDI_HOST={settings.host} is not loopback; put a proxy with TLS in front, set JDI_BEHIND_PROXY=1"
        )
    token, made = admin_token(settings.admin_token, settings.data_dir)
    tables = engine(read_database(settings.database_url))
    health = Health()
    health.add("read_tables", lambda: asyncio.to_thread(readiness, tables))
    app = make_app(Queries(tables), _SyncRequests(settings), token, health, local_only=local)
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


class _SyncRequests:
    """Asks for syncs; connects to Temporal on the first use, so that reading never waits for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None

    async def __call__(self, site: str, project: str, full: bool, account_ids: Sequence[str]) -> str:
        if self._client is None:
            self._client = await connect(self._settings.temporal_address, self._settings.temporal_namespace)
        return await request_sync(
            self._client, site=site, project=project, full=full, account_ids=account_ids, actor="graphql"
        )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    run_service("graphql", Settings, main)
