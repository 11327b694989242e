"""The values the projector needs, from the environment."""

import dataclasses

from libs.runtime import addresses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the projector."""

    database_url: str = addresses.database_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()
    allowed_hosts: tuple[str, ...] = addresses.allowed_hosts()
