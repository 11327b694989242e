"""The values the relay needs, from the environment."""

import dataclasses

from libs.runtime import addresses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the relay. Of several sites in one log, the site is the one whose alerts tell of the stream."""

    site: str = addresses.site()
    database_url: str = addresses.database_url()
    nats_url: str = addresses.nats_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()
    allowed_hosts: tuple[str, ...] = addresses.allowed_hosts()
