"""The values telemetry needs, from the environment."""

import dataclasses

from libs.runtime import addresses, setting
from services.telemetry.backoff import Rules


def _positive(env: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{env}: {text!r} is not a whole number above 0")
    return int(text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(addresses.TemporalAccess):
    """Settings of telemetry."""

    backoff_cap: int = setting(
        "BACKOFF_CAP_SECONDS",
        Rules().cap,
        parse=lambda text: _positive("BACKOFF_CAP_SECONDS", text),
        unit="s",
        why="the longest wait between two runs of a project that fails: within it a recovery is noticed",
    )
    alert_after: int = setting(
        "ALERT_AFTER_FAILURES",
        Rules().threshold,
        parse=lambda text: _positive("ALERT_AFTER_FAILURES", text),
        unit="runs in a row with one code",
        why="fewer are a glitch; from so many on people are told and the schedule slows down",
    )
    census_seconds: float = addresses.census_seconds()
    database_url: str = addresses.database_url()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()
    nats_url: str = addresses.nats_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()
    allowed_hosts: tuple[str, ...] = addresses.allowed_hosts()

    @property
    def rules(self) -> Rules:
        return Rules(cap=self.backoff_cap, threshold=self.alert_after, census=self.census_seconds)
