"""What the settings of every channel stand on. Those of a channel stand in its file."""

import dataclasses

from libs.runtime import Secret, setting
from libs.runtime.network.way_out import WayOut


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelSettings(WayOut):
    """Base of a channel's settings: a channel is set up when its first variable is there."""

    allow_insecure: bool = setting(
        "NOTIFY_ALLOW_INSECURE", False, why="allow http, private addresses and passwords in the clear; for tests only"
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show, whoever quotes it: every `Secret`, and what a channel takes out of one."""
        values = (getattr(self, declared.name) for declared in dataclasses.fields(self))
        of_proxy = self.proxy.secrets if self.proxy else ()
        return (*(value for value in values if isinstance(value, Secret) and value), *of_proxy)
