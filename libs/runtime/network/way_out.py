"""How a service reaches the internet: directly, or by the proxy of JIRA_PROXY; and whom it believes there.

Only these variables count. HTTPS_PROXY and its like are for every program of a machine: they would lead the token of
Jira another way without anybody having decided so.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from libs.runtime.environ import Secret, read_variable, setting
from libs.runtime.network.no_proxy import goes_directly
from libs.runtime.network.proxy import FORM, Proxy, parse_proxy
from libs.runtime.network.trust import checked_authorities, client_context

PASSED_OVER: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
"""Variables that other programs follow."""
_PORTS: Final = {"http": 80, "https": 443}


def _checked_proxy(text: str) -> Secret:
    parse_proxy("JIRA_PROXY", text)
    return Secret(text)


def _checked_file(text: str) -> Path:
    return checked_authorities("JIRA_CA_FILE", text)


def _lower_case(environ: Mapping[str, str]) -> str:
    return read_variable("no_proxy", environ) or ""


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """The base of settings whose service speaks to Jira or to providers of messages."""

    jira_proxy: Secret | None = setting(  # noqa: RUF009 - makes a field
        "JIRA_PROXY", None, parse=_checked_proxy, unit=FORM, why="the proxy to Jira, Slack and the like"
    )
    jira_ca_file: Path | None = setting(  # noqa: RUF009 - makes a field
        "JIRA_CA_FILE", None, parse=_checked_file, unit="PEM file", why="authorities to trust beside the system's own"
    )
    no_proxy: str = setting(
        "NO_PROXY",
        default_from=_lower_case,
        unit="hosts, .domains, addresses or networks, with commas",
        why="what is reached without JIRA_PROXY",
    )

    @cached_property
    def proxy(self) -> Proxy | None:
        """The proxy for what NO_PROXY does not name."""
        return None if self.jira_proxy is None else parse_proxy("JIRA_PROXY", self.jira_proxy)

    def proxy_to(self, url: str) -> Proxy | None:
        """The proxy by which an address is reached; None: directly."""
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        return None if goes_directly(parts.hostname or "", port, self.no_proxy) else self.proxy

    def way_to(self, url: str) -> str:
        """Which way an address is reached, for people."""
        proxy = self.proxy_to(url)
        if proxy is None:
            return "directly, as NO_PROXY says" if self.jira_proxy else "directly"
        return f"by the proxy {proxy.address}" + (f" as {proxy.user}" if proxy.user else "")

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Whom to believe."""
        return client_context(self.jira_ca_file)
