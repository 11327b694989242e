"""The settings that several services share, each declared once: same variable, same default, same meaning everywhere.

@dataclass(frozen=True, kw_only=True)
class Settings:
    database_url: str = addresses.database_url()
    nats_url: str = addresses.nats_url()
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from libs.runtime.database import event_database
from libs.runtime.environ import Secret, read_variable, setting

SITE_PATTERN: Final = re.compile(r"[a-z0-9-]{1,40}")
DEFAULT_DATA_DIR: Final = ".jdi"
CENSUS_SECONDS: Final = 6 * 3600.0


def data_dir() -> Path:
    return setting(
        "JDI_DATA_DIR", default_from=data_dir_of, why="the folder for databases, locks and logs of this machine"
    )


def database_url() -> str:
    why = "the event log and the read tables; sqlite:////path/jdi.db or postgresql://user:password@host/db"
    return setting("DATABASE_URL", default_from=database_url_of, parse=event_database, why=why)


def nats_url() -> str:
    return setting("NATS_URL", "nats://127.0.0.1:4222", why="the NATS server that carries events to other modules")


def temporal_address() -> str:
    return setting(
        "TEMPORAL_ADDRESS", "127.0.0.1:7233", unit="host:port", why="the Temporal server: the only scheduler"
    )


def temporal_namespace() -> str:
    return setting("TEMPORAL_NAMESPACE", "default", why="the Temporal namespace of schedules and workflows")


def temporal_metrics() -> str:
    why = "where Temporal's SDK shows its own metrics, at /metrics; empty: nowhere"
    return setting("TEMPORAL_METRICS_ADDRESS", "", unit="IP address:port", parse=checked_listener, why=why)


def pem_file(env: str, *, why: str) -> Path | None:
    """A file that must be there at the start."""

    def parse(text: str) -> Path:
        path = Path(text).expanduser().absolute()
        try:
            path.read_bytes()
        except OSError as error:
            raise ValueError(f"{env}={path} cannot be read: {error.strerror}") from error
        return path

    return setting(env, None, unit="PEM file", parse=parse, why=why)


@dataclass(frozen=True, kw_only=True)
class TemporalAccess:
    """How we show ourselves to Temporal: the base of settings. The variables are those of Temporal's own tools.

    Raises:
        ValueError: a certificate without its key, or a key without its certificate.
    """

    temporal_tls: bool = setting("TEMPORAL_TLS", False, why="speak TLS to Temporal; the next five do so anyway")
    temporal_ca: Path | None = pem_file("TEMPORAL_TLS_SERVER_CA_CERT_PATH", why="who signs Temporal's certificate")
    temporal_cert: Path | None = pem_file("TEMPORAL_TLS_CLIENT_CERT_PATH", why="our certificate for Temporal")
    temporal_key: Path | None = pem_file("TEMPORAL_TLS_CLIENT_KEY_PATH", why="the private key of that certificate")
    temporal_server_name: str = setting(
        "TEMPORAL_TLS_SERVER_NAME", "", why="the name in Temporal's certificate, where that is not the address"
    )
    temporal_api_key: Secret | None = setting("TEMPORAL_API_KEY", None, why="our key for Temporal's cloud")

    def __post_init__(self) -> None:
        if (self.temporal_cert is None) != (self.temporal_key is None):
            raise ValueError(
                "TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH belong together: set both, or none"
            )


def health_host() -> str:
    return setting(
        "JDI_HEALTH_HOST", "127.0.0.1", why="where /livez, /readyz and /metrics listen; 0.0.0.0 in a container"
    )


def health_port() -> int:
    return setting("JDI_HEALTH_PORT", 0, unit="TCP port, 0 takes any free one", why="/livez, /readyz and /metrics")


def allowed_hosts() -> tuple[str, ...]:
    return setting(
        "JDI_ALLOWED_HOSTS",
        (),
        unit="names, such as jdi.example.com",
        why="under which a proxy, a tunnel or a probe asks us, beside addresses and names of this machine or cluster",
    )


def census_seconds() -> float:
    return setting(
        "JIRA_CENSUS_SECONDS",
        CENSUS_SECONDS,
        unit="s, 0 for none",
        why="between two censuses of a project, which compare all its issues in Jira with what is stored, by their ids",
    )


def site() -> str:
    why = "the short name of the Jira site in subjects and keys: 1 to 40 of a-z, 0-9 and -"
    return setting("JIRA_SITE", default_from=site_of, parse=checked_site, why=why)


def data_dir_of(environ: Mapping[str, str]) -> Path:
    """`JDI_DATA_DIR`, or `.jdi` in the working folder; absolute."""
    return Path(read_variable("JDI_DATA_DIR", environ) or DEFAULT_DATA_DIR).expanduser().absolute()


def database_url_of(environ: Mapping[str, str]) -> str:
    """`DATABASE_URL`, or the SQLite file `jdi.db` in the data folder."""
    given = read_variable("DATABASE_URL", environ)
    return event_database(given) if given else f"sqlite:///{data_dir_of(environ) / 'jdi.db'}"


def site_of(environ: Mapping[str, str]) -> str:
    """`JIRA_SITE`, else the host of `JIRA_BASE_URL`: acme.atlassian.net is `acme`, 127.0.0.1:8095 is `127-0-0-1-8095`.

    Raises:
        ValueError: when neither variable is set, or `JIRA_SITE` has other characters.
    """
    given = read_variable("JIRA_SITE", environ)
    if given is not None:
        return checked_site(given)
    base_url = read_variable("JIRA_BASE_URL", environ)
    if base_url is None:
        raise ValueError("JIRA_SITE is not set, and there is no JIRA_BASE_URL to derive it from; set one of them")
    host = urlsplit(base_url).netloc.rpartition("@")[2].lower().removesuffix(".atlassian.net")
    slug = re.sub(r"[^a-z0-9]+", "-", host).strip("-")[:40]
    return checked_site(slug)


def checked_listener(text: str) -> str:
    """`text` itself when it is empty, or an IP address and a port.

    Raises:
        ValueError: when it is neither.
    """
    host, _, port = text.rpartition(":")
    try:
        if text:
            ip_address(host.strip("[]"))
        well_formed = not text or 0 < int(port) < 65536
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ValueError(f"TEMPORAL_METRICS_ADDRESS: {text!r} is not an IP address and a port, as in 127.0.0.1:9464")
    return text


def checked_site(name: str) -> str:
    """`name` itself when it can be a site.

    Raises:
        ValueError: when it cannot.
    """
    if not SITE_PATTERN.fullmatch(name):
        raise ValueError(f"JIRA_SITE: {name!r} is not a site name; use 1 to 40 of the characters a-z, 0-9 and -")
    return name
