"""Jira: reachable from here, and open to the ingestor's token, by way of the ingestor, which alone has it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import select

from libs.read_tables import project
from libs.runtime.network.http_calls import NetworkTrouble, answered, arguments, trouble_of
from libs.temporal.commands import CommandFailedError, JiraRefusedError, ask_jira
from libs.temporal.connect import connect
from libs.temporal.messages import AnyQuestion, Closing, FindClosings, FindProjects, Options, WhoAmI
from services.cli.checks.databases import database_clock, reading
from services.cli.checks.findings import Doubt, Finding, Trouble, look
from services.cli.checks.way import way
from services.cli.settings import DoctorSettings

ASKED_PROJECTS: Final = 30
"""Registered projects that are looked up; each is a request to Jira."""
ANSWER_SECONDS: Final = 8.0
"""Less than a look may take, so that it can say what is silent."""
SMALL_SKEW: Final = 5.0
LARGE_SKEW: Final = 60.0
"""Expiry of tokens, times of alerts and freshness are wrong by so much. Watermarks are not: they use Jira's own."""


async def jira(settings: DoctorSettings, environ: Mapping[str, str]) -> list[Finding]:
    """What can be seen from here."""
    return list(
        await asyncio.gather(
            look("way to jira", lambda: way(settings, environ), "see docs/networks.md"),
            look("jira", lambda: _server(settings), "check JIRA_BASE_URL in a browser, and this machine's firewall"),
            look("clocks", lambda: _clocks(settings), "have the machines' clocks set by NTP"),
        )
    )


async def jira_by_the_ingestor(settings: DoctorSettings) -> list[Finding]:
    """What the ingestor sees."""
    advice = "does the ingestor of this site run, with JIRA_EMAIL and JIRA_API_TOKEN, or JIRA_OAUTH_CLIENT_ID?"
    gate, token = await asyncio.gather(
        look("gate", lambda: _gate(settings), advice), look("token", lambda: _token(settings), advice)
    )
    if token.failed:
        return [gate, token]
    return [gate, token, await look("projects", lambda: _projects(settings), advice, seconds=30)]


async def _server(settings: DoctorSettings) -> str:
    """`serverInfo` needs no credentials, and they stay with the ingestor."""
    info, _ = await _server_info(settings)
    title, kind = info.get("serverTitle", "Jira"), info.get("deploymentType", "unknown kind")
    return f"{title} ({kind}) at {settings.jira_base_url}"


async def _server_info(settings: DoctorSettings) -> tuple[dict[str, Any], float | None]:
    """What Jira says of itself, and by how many seconds its clock is ahead of ours."""
    url = f"{settings.jira_base_url.rstrip('/')}/rest/api/3/serverInfo"
    host, proxy = urlsplit(url).hostname or "", settings.proxy_to(url)
    try:
        async with aiohttp.ClientSession(
            trust_env=False, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        ) as session:
            before = time.time()
            async with session.get(url, allow_redirects=False, **arguments(settings, url)) as answer:
                ours = (before + time.time()) / 2
                if proxy is not None and answer.status == 407:
                    _raise(answered(407, f"{proxy.host}:{proxy.port}", host))
                if answer.status != 200:
                    raise Trouble(f"{url} answered {answer.status}")
                info: dict[str, Any] = await answer.json()
                date = answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError) as error:
        if (trouble := trouble_of(error, host, proxy)) is not None:
            _raise(trouble)
        raise
    # The header counts whole seconds: on average it is half a second behind.
    return info, parsedate_to_datetime(date).timestamp() + 0.5 - ours if date else None


def _raise(trouble: NetworkTrouble) -> NoReturn:
    advice = f"{trouble.advice[0].lower()}{trouble.advice[1:]}".rstrip(".")
    raise Trouble(trouble.text, advice)


async def _clocks(settings: DoctorSettings) -> str:
    ahead: dict[str, float | None] = {"database": await asyncio.to_thread(database_clock, settings)}
    try:
        _, ahead["Jira"] = await _server_info(settings)
    except Exception:  # noqa: BLE001 - that Jira does not answer is another look's finding
        ahead["Jira"] = None
    return skew({who: seconds for who, seconds in ahead.items() if seconds is not None})


def skew(ahead: dict[str, float]) -> str:
    """What clocks that are so many seconds ahead of ours mean. Pure.

    Raises:
        Trouble, Doubt: they differ by much.
    """
    if not ahead:
        return "there is no other clock to compare with"
    text = ", ".join(f"{who} {seconds:+.1f} s" for who, seconds in ahead.items())
    worst = max(abs(seconds) for seconds in ahead.values())
    if worst > LARGE_SKEW:
        raise Trouble(f"against this machine: {text}")
    if worst > SMALL_SKEW:
        raise Doubt(f"against this machine: {text}")
    return f"against this machine: {text}"


async def _token(settings: DoctorSettings) -> str:
    account = (await _asked(settings, WhoAmI(site=settings.site))).options[0]
    if not account.active:
        raise Trouble(f"the account {account.name} is not active", "use the token of an active account")
    return f"of {account.name}, accepted by Jira"


async def _gate(settings: DoctorSettings) -> str:
    return gate_text((await _asked(settings, FindClosings(site=settings.site))).closings)


def gate_text(closings: Sequence[Closing]) -> str:
    """What is closed because Jira asked for a pause. Pure.

    Raises:
        Trouble: the whole site is.
        Doubt: some endpoints are.
    """
    if not closings:
        return "open: Jira has not asked for a pause"
    text = "; ".join(
        f"closed for {closing.endpoint or 'the whole site'} "
        f"{f'until {closing.until:%H:%M:%S} UTC' if closing.until else 'until the next request is answered'}"
        f" ({closing.code}: {closing.message})"
        for closing in closings
    )
    advice = "it opens by itself; if Jira answers again, an admin opens it in the console, on its page Projects"
    if any(closing.endpoint is None for closing in closings):
        raise Trouble(text, advice)
    raise Doubt(text, advice)


async def _projects(settings: DoctorSettings) -> str:
    keys = await asyncio.to_thread(_registered, settings)
    if not keys:
        seen = len((await _asked(settings, FindProjects(site=settings.site))).options)
        if not seen:
            raise Trouble(
                "the account sees no project", "give it Browse Projects in the projects that are to be synced"
            )
        return "none is registered; the account sees some"
    asked = keys[:ASKED_PROJECTS]
    hidden = [key for key in asked if not await _visible(settings, key)]
    if hidden:
        raise Trouble(
            f"Jira does not show {', '.join(hidden)} to the account",
            "give it Browse Projects there, or unregister them",
        )
    more = f", of {len(keys)}" if len(keys) > len(asked) else ""
    return f"the account sees {', '.join(asked)}{more}"


async def _visible(settings: DoctorSettings, key: str) -> bool:
    found = await _asked(settings, FindProjects(site=settings.site, search=key))
    return any(option.key == key for option in found.options)


def _registered(settings: DoctorSettings) -> list[str]:
    with reading(settings) as tables, tables.connect() as connection:
        query = select(project.c.key).where(project.c.site == settings.site, project.c.registered)
        return list(connection.execute(query.order_by(project.c.key)).scalars())


async def _asked(settings: DoctorSettings, question: AnyQuestion) -> Options:
    client = await connect(settings.temporal_address, settings.temporal_namespace, access=settings)
    try:
        return await ask_jira(client, question)
    except JiraRefusedError as error:
        raise Trouble(f"{error.code}: {error}", error.advice or None) from error
    except CommandFailedError as error:
        raise Trouble(str(error)) from error
