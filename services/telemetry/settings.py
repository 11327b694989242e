"""The values telemetry needs, from the environment."""

import dataclasses

from libs.runtime import addresses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of telemetry."""

    nats_url: str = addresses.nats_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()
