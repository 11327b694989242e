"""`jdi register`, `jdi sync` and `jdi prove`: ask the ingestor, and wait for the result when that is wanted."""

import asyncio
from collections.abc import Sequence

from rich.console import Console

from libs.embedded.errors import StackError
from libs.events import SyncFailed, SyncSucceeded, open_store, read_command_key
from libs.runtime import Stop, event_database
from libs.temporal.access import ConnectError
from libs.temporal.commands import Sender, carry_out, new_command_id, register_project, request_sync
from libs.temporal.connect import connect
from libs.temporal.messages import ProveProject
from services.cli.damage.lost_log import check_log_is_there
from services.cli.settings import SiteSettings
from services.cli.syncs.progress_bar import progress_bar
from services.cli.syncs.prove import Ended, watch_census
from services.cli.syncs.result import watch_until_readable
from services.cli.syncs.watch import End, SyncProgress

ACTOR = "jdi"


async def register(settings: SiteSettings, project: str, cron: str | None, timezone: str) -> None:
    """Register a project; its first sync starts at once."""
    await register_project(
        await _sender(settings),
        site=settings.site,
        project=project,
        cron=cron or settings.default_cron,
        timezone=timezone,
        actor=ACTOR,
    )


async def sync(settings: SiteSettings, project: str, *, full: bool, account_ids: Sequence[str]) -> str:
    """Ask for a sync now; the id of the request."""
    sender = await _sender(settings)
    return await request_sync(
        sender, site=settings.site, project=project, full=full, account_ids=account_ids, actor=ACTOR
    )


def sync_and_wait(
    settings: SiteSettings, project: str, *, full: bool, account_ids: Sequence[str], console: Console
) -> End | None:
    """Ask for a sync, show it, and return when its result can be read."""
    check_log_is_there(settings.database_url)
    store = open_store(event_database(settings.database_url))
    try:
        after = store.head()
        request_id = asyncio.run(sync(settings, project, full=full, account_ids=account_ids))
        progress = SyncProgress(settings.site, project, request_id)
        with progress_bar(console, project) as move:
            return watch_until_readable(store, after, progress, Stop(), move, database_url=settings.database_url)
    finally:
        store.close()


async def prove(settings: SiteSettings, project: str, *, accept: bool) -> str:
    """Ask for a census now; the id of the request."""
    command = ProveProject(site=settings.site, project=project, command_id=new_command_id(), actor=ACTOR, accept=accept)
    await carry_out(await _sender(settings), command)
    return command.command_id


def prove_and_wait(settings: SiteSettings, project: str, *, accept: bool) -> Ended | None:
    """Ask for a census, and return when it has ended; None when interrupted."""
    store = open_store(event_database(settings.database_url))
    try:
        after = store.head()
        request_id = asyncio.run(prove(settings, project, accept=accept))
        return watch_census(store, after, settings.site, project, request_id, Stop())
    finally:
        store.close()


def described(end: End) -> str:
    """One line on how a sync ended."""
    if isinstance(end, SyncSucceeded):
        counts = counted(end, "issues", "comments", "worklogs", "sprints", "users", "appended", "requests")
        warned = f" warnings={len(end.warnings)}" if end.warnings else ""
        return f"ok mode={end.mode} {counts} seconds={end.seconds:.1f}{warned}"
    if isinstance(end, SyncFailed):
        return f"failed {end.code} {end.advice}"
    return f"cancelled {end.reason}"


def counted(end: SyncSucceeded, *names: str) -> str:
    """Some of its counts, as `name=number`."""
    return " ".join(f"{name}={getattr(end, name)}" for name in names)


async def _sender(settings: SiteSettings) -> Sender:
    try:
        client = await connect(settings.temporal_address, settings.temporal_namespace, access=settings)
    except ConnectError as error:
        raise StackError(f"{error}; start the stack with `jdi up`, or set TEMPORAL_ADDRESS") from error
    return Sender(client, await asyncio.to_thread(read_command_key, event_database(settings.database_url)))
