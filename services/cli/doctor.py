"""`jdi doctor`: look at everything that must work, one line each, with advice for what does not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import aiohttp
from nats.errors import Error as NatsError

from libs.embedded import stack_file
from libs.events import open_store
from libs.events.nats_connection import connected, shown
from libs.read_tables import readiness
from libs.runtime import SettingsError, engine, event_database, read_database, read_settings
from libs.runtime.environ import read_variable
from libs.temporal.connect import connect
from services.cli.settings import DoctorSettings

SECONDS = 10.0
CREDENTIALS = ("JIRA_EMAIL", "JIRA_API_TOKEN")


class Finding(NamedTuple):
    """What one look found. `advice` is empty when all is well."""

    name: str
    ok: bool
    text: str
    advice: str = ""


async def examine(environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything, at once; in the order in which it should be mended."""
    try:
        settings = read_settings(DoctorSettings, environ)
    except SettingsError as error:
        return [Finding("settings", ok=False, text=line, advice="set it and ask again") for line in error.lines]
    looks: list[tuple[str, Callable[[], Awaitable[str]], str]] = [
        (
            "credentials",
            lambda: _credentials(environ),
            "create an API token at id.atlassian.com and set both variables",
        ),
        (
            "event log",
            lambda: asyncio.to_thread(_event_log, settings),
            "is DATABASE_URL or JDI_DATA_DIR the right one?",
        ),
        ("read tables", lambda: asyncio.to_thread(_read_tables, settings), "is the projector running?"),
        ("temporal", lambda: _temporal(settings), "start the stack with `jdi up`, or set TEMPORAL_ADDRESS"),
        ("nats", lambda: _nats(settings), "start the stack with `jdi up`, or set NATS_URL"),
        ("jira", lambda: _jira(settings), "check JIRA_BASE_URL in a browser, and this machine's proxy and firewall"),
    ]
    found = await asyncio.gather(*(_look(*look) for look in looks))
    return [Finding("settings", ok=True, text=f"site {settings.site}"), *found]


async def _look(name: str, look: Callable[[], Awaitable[str]], advice: str) -> Finding:
    try:
        async with asyncio.timeout(SECONDS):
            return Finding(name, ok=True, text=await look())
    except TimeoutError:
        return Finding(name, ok=False, text=f"no answer within {SECONDS:g} s", advice=advice)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding
        return Finding(name, ok=False, text=str(error) or type(error).__name__, advice=advice)


async def _credentials(environ: Mapping[str, str]) -> str:
    missing = [name for name in CREDENTIALS if read_variable(name, environ) is None]
    if not missing:
        return f"{' and '.join(CREDENTIALS)} are set"
    if stack_file.find(environ) is not None:
        return "not set here; the ingestor that runs has its own"
    raise LookupError(f"{' and '.join(missing)} not set")


def _event_log(settings: DoctorSettings) -> str:
    store = open_store(event_database(settings.database_url))
    try:
        return f"{store.head()} events"
    finally:
        store.close()


def _read_tables(settings: DoctorSettings) -> str:
    tables = engine(read_database(settings.database_url), read_only=True)
    try:
        why = readiness(tables)
    finally:
        tables.dispose()
    if why is not None:
        raise LookupError(why)
    return "there, at the version of this program"


async def _temporal(settings: DoctorSettings) -> str:
    try:
        client = await connect(settings.temporal_address, settings.temporal_namespace)
    except RuntimeError as error:
        raise LookupError(f"no answer at {settings.temporal_address}") from error
    await client.count_workflows()
    return f"answers at {settings.temporal_address}, namespace {settings.temporal_namespace}"


async def _nats(settings: DoctorSettings) -> str:
    address = shown(settings.nats_url)
    try:
        client = await connected(settings.nats_url, _ignore)
    except (OSError, NatsError) as error:
        raise LookupError(f"no answer at {address}") from error
    try:
        account = await client.jetstream().account_info()
    finally:
        await client.close()
    return f"answers at {address}, JetStream with {account.streams} streams"


async def _ignore(_error: Exception) -> None:
    """What connect raises says the same."""


async def _jira(settings: DoctorSettings) -> str:
    """`serverInfo` needs no credentials, and they stay with the ingestor."""
    url = f"{settings.jira_base_url.rstrip('/')}/rest/api/3/serverInfo"
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as answer:
        if answer.status != 200:
            raise LookupError(f"{url} answered {answer.status}")
        info: dict[str, Any] = await answer.json()
    return (
        f"{info.get('serverTitle', 'Jira')} ({info.get('deploymentType', 'unknown kind')}) at {settings.jira_base_url}"
    )
