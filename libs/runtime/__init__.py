"""How a process starts and stops: settings from the environment, logs, measures, health, databases, graceful stop.

Knows nothing of Jira, events or Temporal; any service may import it.
"""

from libs.runtime import addresses
from libs.runtime.database import access_database, access_engine, engine, event_database, read_database
from libs.runtime.environ import Secret, SettingsError, read_settings, setting
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
from libs.runtime.leave import STOP_SECONDS, Deadline, leave
from libs.runtime.logs import configure, redact_text
from libs.runtime.metrics import EVENT_DELAY, EVENTS_HANDLED, LAG, POSITION, asked, metrics_text
from libs.runtime.printable import printable
from libs.runtime.service import run_service
from libs.runtime.spans import span_text
from libs.runtime.sqlite.room import no_room, stores
from libs.runtime.stop import Stop

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
