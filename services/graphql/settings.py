"""The values the GraphQL service needs, from the environment."""

import dataclasses
import ipaddress
from pathlib import Path

from libs.runtime import Secret, addresses, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the GraphQL service.

    Raises:
        ValueError: `host` is open to the network, and nobody said that a proxy stands in front.
    """

    host: str = setting(
        "JDI_HOST", "127.0.0.1", why="address to listen on; another than loopback needs a proxy with TLS"
    )
    port: int = setting("JDI_PORT", 8080, unit="TCP port, 0 takes any free one", why="GraphQL and health")
    behind_proxy: bool = setting(
        "JDI_BEHIND_PROXY", False, why="says that a proxy in front ends TLS, so that we may listen beyond loopback"
    )
    admin_token: Secret | None = setting(
        "JDI_ADMIN_TOKEN", None, why="bearer token of the API; without it one is made, kept and printed once"
    )
    data_dir: Path = addresses.data_dir()
    database_url: str = addresses.database_url()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()

    def __post_init__(self) -> None:
        if not self.behind_proxy and not is_loopback(self.host):
            raise ValueError(
                f"JDI_HOST: {self.host} can be reached from the network, where the token would travel in the clear;"
                " leave it at 127.0.0.1, or put a proxy with TLS in front and set JDI_BEHIND_PROXY=1"
            )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
