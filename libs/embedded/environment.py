"""What each child may see of our environment: everything ordinary, and only its own secrets."""

from collections.abc import Mapping
from typing import Final

STAGES: Final = (("ingestor", "relay", "projector"), ("graphql", "telemetry", "notifier"))
"""The services in the order of their start. Those that bring data go first; the relay makes the stream that telemetry
and notifier read."""
SERVICES: Final = tuple(name for stage in STAGES for name in stage)
MODULES: Final = {name: f"services.{name}" for name in SERVICES} | {"relay": "services.ingestor.relay"}
"""What `python -m` starts for each."""

TEMPORAL_ACCESS: Final = ("TEMPORAL_TLS", "TEMPORAL_API_KEY")
"""How we show ourselves to a Temporal server that is not our own."""
_CREDENTIALS: Final = ("JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_OAUTH_", "JIRA_WEBHOOK_URL", "JIRA_PROXY")
_HOOKS: Final = "JIRA_HOOK_"
"""By which Jira's webhooks prove themselves to the API."""
_GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    "ingestor": ("JIRA_", "TEMPORAL_METRICS_", *TEMPORAL_ACCESS),
    "graphql": (_HOOKS, "JIRA_PROXY", *TEMPORAL_ACCESS),
    "telemetry": ("BACKOFF_", "ALERT_", *TEMPORAL_ACCESS),
    "notifier": ("NOTIFY_", "SMTP_", "SLACK_", "WHATSAPP_", "JIRA_PROXY"),
}
"""Families of variables that a service gets as they are. Variables of a new channel begin with NOTIFY_."""
_SHARED: Final = ("JDI_", "DATABASE_URL", "NATS_URL", "TEMPORAL_")
_OWN: Final = (*_SHARED, *(family for families in _GIVEN.values() for family in families))
"""Variables of ours: a child gets these on purpose or not at all."""
_ADMIN: Final = ("JDI_ADMIN_TOKEN", "JDI_ADMIN_TOKEN_FILE")
MEMORY: Final = {"MALLOC_ARENA_MAX": "2"}
"""What keeps processes small that share one machine: else each thread has a heap of its own."""
SERVER_MEMORY: Final = {"GOGC": "50"}
"""The same of the servers, whose heaps may grow by half, not to the double, before they are collected. A fixed limit
(GOMEMLIMIT) would cost several times the CPU as soon as a server needs more."""


def ordinary(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything of ours: all that servers and the simulated Jira may see."""
    return {name: value for name, value in environ.items() if not name.startswith(_OWN)}


def of_server(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of Temporal and NATS."""
    return {**SERVER_MEMORY, **ordinary(environ)}


def of_nursery(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of what imports for all: none of it is secret, and every fork begins with what it makes of it."""
    return {**MEMORY, **ordinary(environ), "PYTHONUNBUFFERED": "1"}


def of_service(name: str, environ: Mapping[str, str], shared: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service.

    Args:
        name: of the service.
        environ: ours. Jira's credentials go on to the ingestor alone, channels' secrets to the notifier alone.
        shared: addresses of this stack, which win.
    """
    families = _GIVEN.get(name, ())
    kept = {
        key: value
        for key, value in environ.items()
        if (key.startswith(families) or _harmless(key)) and (_HOOKS in families or not key.startswith(_HOOKS))
    }
    return {**MEMORY, **ordinary(environ), **kept, **shared, "JDI_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}


def _harmless(key: str) -> bool:
    return key.startswith(("JDI_", "JIRA_")) and not key.startswith((*_CREDENTIALS, *_ADMIN))
