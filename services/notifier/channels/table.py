"""Every channel: its name, and what makes it from the settings. A new one is a file in this folder and a line here."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from services.notifier.channels import email, slack, whatsapp
from services.notifier.message.types import Adapter

if TYPE_CHECKING:
    from services.notifier.settings import Settings

CHANNELS: Final[Mapping[str, Callable[["Settings"], Adapter | None]]] = {
    "email": email.from_settings,
    "slack": slack.from_settings,
    "whatsapp": whatsapp.from_settings,
}


def adapters_of(settings: "Settings") -> dict[str, Adapter]:
    """The channels that are set up."""
    made = {name: make(settings) for name, make in CHANNELS.items()}
    return {name: adapter for name, adapter in made.items() if adapter is not None}
