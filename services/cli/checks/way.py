"""Which way this goes to Jira, and whom it believes there."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from libs.runtime.network.sign_in import by_oauth, gateway_of
from libs.runtime.network.trust import authorities
from libs.runtime.network.way_out import PASSED_OVER
from services.cli.checks.findings import Doubt
from services.cli.settings import DoctorSettings


async def way(settings: DoctorSettings, environ: Mapping[str, str]) -> str:
    """The proxy without its password, and the authorities that are trusted.

    Raises:
        Doubt: one of them has expired, or a variable of other programs names a proxy that is not used.
    """
    address = gateway_of(environ) if by_oauth(environ) else settings.jira_base_url
    text = f"{settings.way_to(address)}; {await asyncio.to_thread(_trusted, settings)}"
    passed_over = [name for name in PASSED_OVER if environ.get(name)]
    if passed_over and settings.jira_proxy is None:
        advice = f"set JIRA_PROXY if Jira is reached by that proxy only; {passed_over[0]} is left to other programs"
        raise Doubt(f"{text}; {passed_over[0]} is set and not used", advice)
    return text


def _trusted(settings: DoctorSettings) -> str:
    if settings.jira_ca_file is None:
        return "believing the system's authorities"
    found = authorities(settings.jira_ca_file)
    names = ", ".join(one.name for one in found) or "what it holds"
    text = f"believing the system's authorities and those of JIRA_CA_FILE: {names}"
    over = [f"{one.name} on {one.ends:%Y-%m-%d}" for one in found if one.ends < datetime.now(UTC)]
    if over:
        raise Doubt(f"{text}; expired: {', '.join(over)}", "put the authority's new certificate into JIRA_CA_FILE")
    return text
