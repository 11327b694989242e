"""How a process starts and stops: settings from the environment, logs, measures, health, databases, graceful stop.

Knows nothing of Jira, events or Temporal; any service may import it. What a command at the terminal rarely needs is
loaded when somebody asks for it: a web server, measures and structured logs take 0.3 s and 30 MB.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from libs.runtime import addresses
from libs.runtime.database import access_database, access_engine, engine, event_database, read_database
from libs.runtime.environ import Secret, SettingsError, read_settings, setting
from libs.runtime.leave import STOP_SECONDS, Deadline, leave
from libs.runtime.printable import printable
from libs.runtime.spans import span_text
from libs.runtime.stop import Stop

if TYPE_CHECKING:
    from libs.runtime.health import (
        PROOF_SECONDS,
        Check,
        Health,
        Reported,
        first_trouble,
        health_routes,
        in_thread,
        serve_health,
    )
    from libs.runtime.logs import configure, redact_text
    from libs.runtime.metrics import EVENT_DELAY, EVENTS_HANDLED, LAG, POSITION, asked, metrics_text
    from libs.runtime.service import run_service
    from libs.runtime.sqlite.room import no_room, stores

_HEALTH: Final = ("Check", "Health", "Reported", "first_trouble", "health_routes", "in_thread", "serve_health")
_LATER: Final = {
    "health": ("PROOF_SECONDS", *_HEALTH),
    "logs": ("configure", "redact_text"),
    "metrics": ("EVENT_DELAY", "EVENTS_HANDLED", "LAG", "POSITION", "asked", "metrics_text"),
    "service": ("run_service",),
    "sqlite.room": ("no_room", "stores"),
}
"""Where the names are that only a type checker sees above."""

__all__ = [
    "EVENTS_HANDLED",
    "EVENT_DELAY",
    "LAG",
    "POSITION",
    "PROOF_SECONDS",
    "STOP_SECONDS",
    "Check",
    "Deadline",
    "Health",
    "Reported",
    "Secret",
    "SettingsError",
    "Stop",
    "access_database",
    "access_engine",
    "addresses",
    "asked",
    "configure",
    "engine",
    "event_database",
    "first_trouble",
    "health_routes",
    "in_thread",
    "leave",
    "metrics_text",
    "no_room",
    "printable",
    "read_database",
    "read_settings",
    "redact_text",
    "run_service",
    "serve_health",
    "setting",
    "span_text",
    "stores",
]


def __getattr__(name: str) -> Any:
    """A name that is asked for the first time."""
    for module, names in _LATER.items():
        if name in names:
            found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
