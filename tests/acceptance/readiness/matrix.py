"""The matrix of docs/readiness.md: which checks of which services fail while something is unwell. One place for both.

`/livez` is 200 in every cell: it looks at nothing but the event loop.
"""

from __future__ import annotations

from typing import Final

from libs.embedded import environment

SERVICES: Final = environment.SERVICES

Cell = dict[str, str]
"""Service to its checks that fail. A service that is not named is ready; of one that is, others may fail as well, such
as the projector's `projection`, which fails when there is something to write."""

READERS_OF_THE_LOG: Final = {"telemetry": "log", "notifier": "notices"}

MATRIX: Final[dict[tuple[str, str], Cell]] = {
    ("database", "away"): {
        "ingestor": "event_log",
        "relay": "event_log nats",
        "projector": "projection read_tables event_log writes",
        "graphql": "read_tables",
        **READERS_OF_THE_LOG,
    },
    ("database", "slow"): {
        "ingestor": "event_log",
        "relay": "event_log nats",
        "projector": "read_tables event_log writes",
        "graphql": "read_tables",
        **READERS_OF_THE_LOG,
    },
    ("database", "read-only"): {
        "ingestor": "event_log",
        "relay": "event_log",
        "projector": "writes",
        **READERS_OF_THE_LOG,
    },
    ("event log", "locked"): {"ingestor": "event_log", "relay": "event_log", **READERS_OF_THE_LOG},
    ("read tables", "locked"): {"projector": "writes"},
    ("NATS", "away"): {"relay": "nats", "telemetry": "nats", "notifier": "notices"},
    ("NATS", "slow"): {"relay": "nats", "telemetry": "nats", "notifier": "notices"},
    ("Temporal", "away"): {"ingestor": "temporal", "telemetry": "sweep"},
    ("Temporal", "slow"): {"ingestor": "temporal", "telemetry": "sweep"},
    ("Jira", "away"): {},
    ("Jira", "slow"): {},
    ("disk", "full"): {"ingestor": "event_log", "relay": "event_log", "projector": "writes", **READERS_OF_THE_LOG},
    ("event log", "damaged"): {
        "ingestor": "event_log",
        "relay": "event_log",
        "projector": "event_log",
        **READERS_OF_THE_LOG,
    },
    ("read tables", "damaged"): {"projector": "read_tables", "graphql": "read_tables"},
    ("API tokens", "damaged"): {},
    ("NATS", "damaged"): {"relay": "nats", "telemetry": "nats", "notifier": "notices"},
    ("Temporal", "damaged"): {"ingestor": "temporal", "telemetry": "sweep"},
}

DAMAGED: Final[dict[str, tuple[str, str]]] = {
    "read tables": ("jdi-read.db", "garbage"),
    "API tokens": ("jdi-access.db", "garbage"),
    "NATS": ("nats", "removed"),
    "Temporal": ("temporal.db", "half"),
    "event log": ("jdi.db", "removed"),
}
"""The files of damaged parts, and how. All but the last heal by themselves; until then their cells hold."""
