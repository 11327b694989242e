"""The values the GraphQL service needs, from the environment."""

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import Final

from libs.runtime import Secret, addresses, setting
from libs.runtime.environ import read_variable
from services.graphql.hooks.settings import HookSettings

MIN_ADMIN_TOKEN: Final = 16
"""Characters. Nothing slows down those who try tokens on the API."""


def _site_if_known(environ: Mapping[str, str]) -> str | None:
    named = any(read_variable(name, environ) for name in ("JIRA_SITE", "JIRA_BASE_URL"))
    return addresses.site_of(environ) if named else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(HookSettings, addresses.TemporalAccess):
    """Settings of the GraphQL service.

    Raises:
        ValueError: `host` is open to the network, and nobody said that a proxy stands in front; or the given token is
            short enough to be guessed; or a limit lets nothing through.
    """

    host: str = setting(
        "JDI_HOST", "127.0.0.1", why="address to listen on; another than loopback needs a proxy with TLS"
    )
    port: int = setting("JDI_PORT", 8080, unit="TCP port, 0 takes any free one", why="GraphQL, the console and health")
    behind_proxy: bool = setting(
        "JDI_BEHIND_PROXY", False, why="says that a proxy in front ends TLS, so that we may listen beyond loopback"
    )
    on_loopback: bool = setting(
        "JDI_PUBLISHED_ON_LOOPBACK",
        False,
        why="says that our port is published on loopback alone, so that a container may listen on 0.0.0.0",
    )
    allowed_hosts: tuple[str, ...] = addresses.allowed_hosts()
    admin_token: Secret | None = setting(
        "JDI_ADMIN_TOKEN", None, why="an administrator's token; without it a first one is made and printed once"
    )
    first_admin: bool = setting(
        "JDI_FIRST_ADMIN", True, why="whether an administrator's token is made and printed when there is none"
    )
    site: str | None = setting("JIRA_SITE", default_from=_site_if_known, why="the Jira site of projects to register")
    default_cron: str = setting(
        "SYNC_DEFAULT_CRON", "*/15 * * * *", unit="five fields, UTC", why="schedule of a newly registered project"
    )
    census_seconds: float = addresses.census_seconds()
    timeout: float = setting(
        "GRAPHQL_TIMEOUT_SECONDS", 20.0, unit="seconds", why="after which a query is stopped, with what it is reading"
    )
    max_cost: int = setting(
        "GRAPHQL_MAX_COST", 20_000, unit="objects", why="that an answer may hold, counted before anything is read"
    )
    drain: float = setting(
        "JDI_DRAIN_SECONDS",
        0.0,
        unit="s",
        why="how long to go on serving, not ready, when told to stop: until load balancers send us nothing more",
    )
    database_url: str = addresses.database_url()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.checked()
        if self.paths and self.site is None:
            raise ValueError("JIRA_HOOK_PATH: JIRA_SITE or JIRA_BASE_URL says whose webhooks come there; set one")
        if self.timeout <= 0 or self.max_cost <= 0:
            raise ValueError("GRAPHQL_TIMEOUT_SECONDS and GRAPHQL_MAX_COST: nothing could be asked; both are above 0")
        if not self.behind_proxy and not self.on_loopback and not is_loopback(self.host):
            raise ValueError(
                f"JDI_HOST: {self.host} can be reached from the network, where the token would travel in the clear;"
                " leave it at 127.0.0.1, or put a proxy with TLS in front and set JDI_BEHIND_PROXY=1"
            )
        if self.admin_token is not None and len(self.admin_token) < MIN_ADMIN_TOKEN:
            raise ValueError(
                f"JDI_ADMIN_TOKEN: its value is shorter than {MIN_ADMIN_TOKEN} characters and could be guessed;"
                " take one from `openssl rand -base64 32`, or leave it out: then one is made and printed once"
            )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
