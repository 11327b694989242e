"""Every channel: its name, its settings, and what makes it from them. A new one is a file here and two lines below."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

from services.notifier.channels import email, slack, whatsapp
from services.notifier.message.types import Adapter


@dataclasses.dataclass(frozen=True, kw_only=True)
class SettingsOfChannels(email.EmailSettings, slack.SlackSettings, whatsapp.WhatsAppSettings):
    """The settings of all channels."""


CHANNELS: Final[Mapping[str, Callable[[SettingsOfChannels], Adapter | None]]] = {
    "email": email.from_settings,
    "slack": slack.from_settings,
    "whatsapp": whatsapp.from_settings,
}


def adapters_of(settings: SettingsOfChannels) -> dict[str, Adapter]:
    """The channels that are set up.

    Raises:
        ValueError: with a line for every channel that is set up wrongly.
    """
    made: dict[str, Adapter] = {}
    problems: list[str] = []
    for name, make in CHANNELS.items():
        try:
            adapter = make(settings)
        except ValueError as error:
            problems.append(str(error))
        else:
            made |= {name: adapter} if adapter else {}
    if problems:
        raise ValueError("\n".join(problems))
    return made
