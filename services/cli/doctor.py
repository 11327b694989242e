"""`jdi doctor`: look at everything that must work, one line each, with advice for what does not."""

import asyncio
from collections.abc import Mapping

from libs.embedded import stack_file
from libs.runtime import SettingsError, read_settings
from libs.runtime.network.sign_in import BY_OAUTH, BY_TOKEN, by_oauth, missing, way_to_sign_in
from services.cli.checks.databases import databases
from services.cli.checks.fan_out import fan_out
from services.cli.checks.findings import FAIL, OK, WARN, Finding, Trouble, look
from services.cli.checks.jira import jira
from services.cli.checks.notifications import notifications
from services.cli.checks.scheduler import temporal
from services.cli.settings import DoctorSettings


async def examine(environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything, at once; in the order in which it should be mended.

    What stands on something that fails is not looked at: it would fail for the same reason.
    """
    try:
        settings = read_settings(DoctorSettings, environ)
    except SettingsError as error:
        return [Finding("settings", FAIL, line, "set it and ask again") for line in error.lines]
    of_databases, of_temporal, of_nats, of_jira = await asyncio.gather(
        databases(settings), temporal(settings), fan_out(settings), jira(settings, environ)
    )
    proved = any(one.name == "token" and not one.failed for one in of_temporal)
    credentials = await look(
        "credentials",
        lambda: _credentials(environ, proved=proved),
        "create an API token at id.atlassian.com, or an OAuth credential of a service account, and set both",
    )
    found = [Finding("settings", OK, f"site {settings.site}"), credentials, *of_databases, *of_temporal, *of_nats]
    found += [_reached_elsewhere(one) if proved and one.failed and one.name == "jira" else one for one in of_jira]
    readable = not any(one.failed for one in of_databases if one.name == "read tables")
    return [*found, *await notifications(settings, environ)] if readable else found


async def _credentials(environ: Mapping[str, str], *, proved: bool) -> str:
    lacking = missing(environ)
    if not lacking:
        return f"{' and '.join(BY_OAUTH if by_oauth(environ) else BY_TOKEN)} are set: {way_to_sign_in(environ)}"
    if proved or stack_file.find(environ) is not None:
        return "not set here; the ingestor that runs has its own"
    raise Trouble(f"{' and '.join(lacking)} not set")


def _reached_elsewhere(found: Finding) -> Finding:
    """Where only the ingestor may reach Jira, nothing fails that we cannot."""
    return found._replace(state=WARN, text=f"{found.text}; the ingestor reaches it")
