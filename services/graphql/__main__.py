"""Start the GraphQL service."""

import asyncio
from typing import Final

import structlog

from libs.access import SessionStore, TokenStore
from libs.events import open_store, read_command_key
from libs.read_tables import readiness
from libs.runtime import (
    PROOF_SECONDS,
    STOP_SECONDS,
    Health,
    Reported,
    Stop,
    access_database,
    access_engine,
    engine,
    event_database,
    in_thread,
    read_database,
    run_service,
)
from libs.runtime.network.http_server import Doorkeeper, most_connections, serving
from services.graphql.api.context import Defaults
from services.graphql.app import CONSOLE, make_app
from services.graphql.execution.limits import Limits
from services.graphql.hooks.keeping import Keeper
from services.graphql.hooks.receiving import receiver_of
from services.graphql.http.first_admin import prepare_access
from services.graphql.http.hosts import Hosts
from services.graphql.ingestor import Ingestor
from services.graphql.measures import pool_measured
from services.graphql.reading.reader import Reader
from services.graphql.reading.sample import unreadable
from services.graphql.settings import Settings

LAST_ANSWER_SECONDS: Final = STOP_SECONDS - 2.0
"""Requests that are under way at the end may take so long. A command that is cut off is carried out all the same."""

log = structlog.get_logger(__name__)


async def main(settings: Settings, stop: Stop) -> None:
    """Serve until told to stop."""
    limits = Limits(seconds=settings.timeout, cost=settings.max_cost)
    reading = engine(read_database(settings.database_url), read_only=True, statement_seconds=limits.seconds)
    access_url = access_database(settings.database_url)
    asking = access_engine(access_url, read_only=True, statement_seconds=limits.seconds)
    writing = access_engine(access_url, statement_seconds=limits.seconds)
    earlier = engine(read_database(settings.database_url), statement_seconds=limits.seconds)
    tokens = TokenStore(writing, reading=asking, given=settings.admin_token)
    health, access, leaving = Health(), Reported(), Reported(None)
    health.add("read_tables", in_thread(lambda: readiness(reading) or unreadable(reading)), every=PROOF_SECONDS)
    health.add("access", access)
    health.add("leaving", leaving)
    hosts = Hosts(bound=settings.host, named=settings.allowed_hosts, behind_proxy=settings.behind_proxy)
    doorkeeper = Doorkeeper(most_connections())
    log_url = event_database(settings.database_url)
    ingestor = Ingestor(
        settings.temporal_address, settings.temporal_namespace, lambda: read_command_key(log_url), settings
    )
    keeper = Keeper(settings.site or "", lambda: open_store(log_url), ingestor.take_up_hints)
    app = make_app(
        Reader(reading),
        ingestor,
        tokens=tokens,
        sessions=SessionStore(writing, tokens, reading=asking),
        health=health,
        stop=stop,
        hosts=hosts,
        defaults=Defaults(known_site=settings.site, cron=settings.default_cron),
        limits=limits,
        census_seconds=settings.census_seconds,
        doorkeeper=doorkeeper,
        hooks=receiver_of(settings, keeper),
    )
    try:
        async with serving(app, doorkeeper, settings.host, settings.port, last_answers=LAST_ANSWER_SECONDS) as bound:
            address = hosts.address(bound[1])
            log.info("graphql is ready", url=f"{address}/graphql", console=f"{address}{CONSOLE}")

            def show(secret: str) -> None:
                # Once, to the person who starts it. The token is behind the #, which browsers send to no server.
                print(f"{address}{CONSOLE}#token={secret}", flush=True)  # noqa: T201 - a log would strike it out

            async with asyncio.TaskGroup() as tasks:
                preparing = tasks.create_task(
                    prepare_access(writing, tokens, access, show if settings.first_admin else None, earlier)
                )
                with pool_measured(reading):
                    await stop.wait()
                preparing.cancel()
            leaving.report("the service stops: ask another")
            await asyncio.sleep(settings.drain)
    finally:
        await keeper.close()
        for used in (reading, asking, writing, earlier):
            used.dispose()


if __name__ == "__main__":
    run_service("graphql", Settings, main, stop_seconds=lambda settings: settings.drain + STOP_SECONDS)
