"""The values the notifier needs, from the environment. Those of a channel are declared in its file."""

import dataclasses
from typing import Final

import msgspec

from libs.runtime import Secret, addresses, setting
from services.notifier.channels.table import CHANNELS, SettingsOfChannels, adapters_of
from services.notifier.delivery.egress import checked_address
from services.notifier.policy.file import VARIABLE, parse_policy
from services.notifier.policy.rules import DEFAULT, Policy

LONGEST_SECONDS: Final = 1e9


def _policy(text: str) -> Policy:
    return parse_policy(text, frozenset(CHANNELS))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(SettingsOfChannels):
    """Settings of the notifier.

    Raises:
        ValueError: with a line for everything that is wrong.
    """

    policy_table: Policy = setting(VARIABLE, DEFAULT, parse=_policy, why="who is told what, as TOML")
    group_wait: float | None = setting("NOTIFY_GROUP_WAIT_SECONDS", None, unit="s", why="over the policy's")
    critical_wait: float | None = setting("NOTIFY_CRITICAL_WAIT_SECONDS", None, unit="s", why="over the policy's")
    group_interval: float | None = setting("NOTIFY_GROUP_INTERVAL_SECONDS", None, unit="s", why="over the policy's")
    repeat: float | None = setting("NOTIFY_REPEAT_SECONDS", None, unit="s", why="over the policy's")
    send_timeout: float = setting("NOTIFY_SEND_TIMEOUT_SECONDS", 30.0, unit="s", why="a provider may take so long")
    heartbeat_url: Secret | None = setting(
        "NOTIFY_HEARTBEAT_URL", None, why="a dead man's switch that is called while notices would get out"
    )
    heartbeat_seconds: float = setting("NOTIFY_HEARTBEAT_SECONDS", 300.0, unit="s", why="between two of these calls")
    public_url: str = setting("JDI_PUBLIC_URL", "", why="where people reach the console; notices link there")
    nats_url: str = addresses.nats_url()
    database_url: str = addresses.database_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()
    allowed_hosts: tuple[str, ...] = addresses.allowed_hosts()

    @property
    def policy(self) -> Policy:
        """The policy, with the times that have a variable of their own."""
        return msgspec.structs.replace(self.policy_table, **self._times())

    def __post_init__(self) -> None:
        problems: list[str] = []
        for check in (self._check_channels, self._check_times, self._check_heartbeat, self._check_links):
            try:
                check()
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise ValueError("\n".join(problems))

    def _times(self) -> dict[str, float]:
        given = {
            "group_wait_seconds": self.group_wait,
            "critical_wait_seconds": self.critical_wait,
            "group_interval_seconds": self.group_interval,
            "repeat_seconds": self.repeat,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _check_channels(self) -> None:
        adapters_of(self)

    def _check_times(self) -> None:
        for name, value in self._times().items():
            if not 0 <= value < LONGEST_SECONDS:
                raise ValueError(f"NOTIFY_{name.upper()}: {value:g} is no number of seconds")
        _ = self.policy  # which checks what its times allow
        if not 0 < self.send_timeout <= 600:
            raise ValueError(f"NOTIFY_SEND_TIMEOUT_SECONDS: {self.send_timeout:g} is not between 0 and 600")

    def _check_heartbeat(self) -> None:
        if self.heartbeat_url is None:
            return
        checked_address("NOTIFY_HEARTBEAT_URL", self.heartbeat_url, allow_insecure=self.allow_insecure)
        if not 10 <= self.heartbeat_seconds <= 86_400:
            raise ValueError(f"NOTIFY_HEARTBEAT_SECONDS: {self.heartbeat_seconds:g} is not between 10 and 86400")

    def _check_links(self) -> None:
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise ValueError(f"JDI_PUBLIC_URL: {self.public_url!r} is no address; write https://jdi.example.com")
