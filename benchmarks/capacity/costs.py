"""What one unit of work costs, as `python -m benchmarks.capacity measure` found it and wrote it down."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("measured.json")


class EventCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind of event in the log; averages."""

    json_bytes: float
    stored_bytes: float
    """Of its row in PostgreSQL, compressed, without indexes."""


class ProcessCosts(msgspec.Struct, frozen=True, kw_only=True):
    """What one process spends. GraphQL and PostgreSQL were also asked five times a second whether a run had ended."""

    cpu_at_rest: float
    """CPU seconds a second with nothing to do; not in the figures that follow."""
    cpu_per_run: float
    """CPU seconds of a scheduled run of a project in which nothing has changed."""
    cpu_per_changed_issue: float
    """CPU seconds more for each issue that has changed."""
    cpu_per_1000_new_issues: float
    """CPU seconds of a first sync, with three comments and two worklogs an issue."""
    idle_mb: float
    peak_mb: float


class QueryCosts(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds of one GraphQL request."""

    cpu: float
    database_cpu: float


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured."""

    machine: str
    events: dict[str, EventCosts]
    """By the name of the event."""
    log_bytes_per_event: float
    """Beside the row: indexes, room left in pages, and the stream's head."""
    outcome_bytes: float
    """Of one answer that is kept so that a step is not done twice, with its index."""
    outcomes_per_run: float
    read_bytes_per_issue: float
    """Read tables and their indexes, for an issue with three comments and two worklogs."""
    read_bytes_per_run: float
    """What a run leaves in the list of runs and in the log that the console shows."""
    wal_bytes_per_event: float
    nats_bytes_per_event: float
    """Beside the event's JSON: subject and headers."""
    temporal_bytes_per_run: float
    """History of one run in Temporal."""
    run_requests: float
    """To Jira, by a scheduled run in which nothing has changed."""
    changed_run_requests: float
    """To Jira, by one that finds up to a page of changed issues, on a site with one board and up to 100 users."""
    run_events: float
    change_events: float
    """Of an issue whose fields have changed, without comments and worklogs."""
    processes: dict[str, ProcessCosts]
    queries: dict[str, QueryCosts]
    ingestor_connections: float
    """To PostgreSQL, after a busy time."""
    append_per_second: float
    transactions_per_second: float
    """Appends of one event: the log takes one writer at a time, and each waits for its commit."""
    relay_per_second: float
    project_per_second: float


@cache
def measured() -> Costs:
    """The last measurement."""
    return msgspec.json.decode(FILE.read_bytes(), type=Costs)


def write(costs: Costs) -> None:
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(_rounded(costs)), indent=1) + b"\n")


def _rounded(costs: Costs) -> object:
    """Three digits: no measurement here is better than that."""

    def short(value: object) -> object:
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items()}
        return float(f"{value:.3g}") if isinstance(value, float) else value

    return short(msgspec.to_builtins(costs))
