"""The values of the commands, from the environment, or from the stack that runs here."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from libs.embedded import stack_file
from libs.runtime import Secret, addresses, setting
from libs.runtime.environ import read_variable
from libs.runtime.network.sign_in import JiraSignIn
from libs.runtime.network.way_out import WayOut

DEFAULT_PORT = 8080


def _site_if_named(environ: Mapping[str, str]) -> str | None:
    named = any(read_variable(name, environ) for name in ("JIRA_SITE", "JIRA_BASE_URL"))
    return addresses.site_of(environ) if named else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpSettings(JiraSignIn, WayOut):
    """What `jdi up` needs. Jira's credentials and the way to it are read to refuse early; services read them anew."""

    site: str = addresses.site()
    data_dir: Path = addresses.data_dir()
    database_url: str = addresses.database_url()
    temporal_address: str | None = setting("TEMPORAL_ADDRESS", None, why="a Temporal server to use instead of our own")
    temporal_namespace: str = addresses.temporal_namespace()
    nats_url: str | None = setting("NATS_URL", None, why="a NATS server to use instead of our own")
    port: int | None = setting("JDI_PORT", None, unit="TCP port", why="GraphQL and the console; 8080 when unset")
    admin_token: Secret | None = setting(
        "JDI_ADMIN_TOKEN", None, why="an administrator's token; without it a first one is made"
    )

    def __post_init__(self) -> None:
        self.check_sign_in()
        if not self.jira_base_url.startswith(("https://", "http://")):
            raise ValueError(
                f"JIRA_BASE_URL: {self.jira_base_url!r} is no web address; e.g. https://acme.atlassian.net"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """What `jdi demo` takes from the environment; everything else is its own."""

    data_dir: Path = setting("JDI_DATA_DIR", Path(".jdi/demo").absolute(), why="where the demo keeps its data")
    port: int | None = setting(
        "JDI_PORT", None, unit="TCP port", why="GraphQL and the console; the next free from 8080"
    )
    admin_token: Secret | None = setting(
        "JDI_ADMIN_TOKEN", None, why="an administrator's token; without it a first one is made"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoSyncSettings:
    """What the sync of the demo needs of the stack that runs it, which sets all of it."""

    database_url: str = addresses.database_url()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()
    jira_base_url: str = setting("JIRA_BASE_URL", why="the simulated Jira")
    port: int = setting("JDI_PORT", DEFAULT_PORT, unit="TCP port", why="GraphQL and the console")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """What a command needs that reads the databases alone."""

    database_url: str = addresses.database_url()


@dataclasses.dataclass(frozen=True, kw_only=True)
class StatusSettings(DatabaseSettings):
    """What `jdi status` needs."""

    census_seconds: float = addresses.census_seconds()


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """What `jdi token` needs: the tokens, and where the console is that they open."""

    database_url: str = addresses.database_url()
    port: int = setting("JDI_PORT", DEFAULT_PORT, unit="TCP port", why="GraphQL and the console")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SiteSettings(addresses.TemporalAccess):
    """What a command needs that speaks about projects of a site."""

    site: str = addresses.site()
    database_url: str = addresses.database_url()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()
    default_cron: str = setting(
        "SYNC_DEFAULT_CRON", "*/15 * * * *", unit="five fields, UTC", why="schedule of a newly registered project"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RestoreSettings(addresses.TemporalAccess):
    """What `jdi restore` needs. Servers that are not named are the stack's own, and new with its folder."""

    data_dir: Path = addresses.data_dir()
    database_url: str = addresses.database_url()
    temporal_address: str | None = setting("TEMPORAL_ADDRESS", None, why="the Temporal server that must forget")
    temporal_namespace: str = addresses.temporal_namespace()
    nats_url: str | None = setting("NATS_URL", None, why="the NATS server that must forget")
    site: str | None = setting("JIRA_SITE", default_from=_site_if_named, why="a site of which the log may not know yet")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DoctorSettings(WayOut, addresses.TemporalAccess):
    """Everything that `jdi doctor` looks at."""

    database_url: str = addresses.database_url()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()
    nats_url: str = addresses.nats_url()
    jira_base_url: str = setting("JIRA_BASE_URL", why="the Jira site to read, e.g. https://acme.atlassian.net")
    site: str = addresses.site()


def environ_here(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, completed by the addresses of the stack that runs here; what is set wins."""
    given = {name: value for name, value in environ.items() if value.strip()}
    found = stack_file.find(given)
    if found is None:
        return given
    data_dir, stack = found
    completed = {name: value for name, value in stack.environ(data_dir).items() if f"{name}_FILE" not in given}
    return completed | given
