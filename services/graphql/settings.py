"""The values the GraphQL service needs, from the environment."""

import dataclasses
from pathlib import Path

from libs.runtime import Secret, addresses, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the GraphQL service."""

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
