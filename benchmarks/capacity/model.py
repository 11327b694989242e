"""From what an operator knows to what an installation needs: arithmetic alone, nothing is measured or read here.

A *cell* is one installation: one PostgreSQL database with one event log, its relay, one projector at work, and an
ingestor for each site. What a cell cannot bear more of is shared out over several.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from benchmarks.capacity.costs import Costs

DAY: Final = 86_400.0
HEADROOM: Final = 0.6
"""Share of what was measured, or of a core, that the busiest hour may take: towards 1 queues grow without bound, and
pools of connections with them."""
SITE_REQUESTS_PER_SECOND: Final = 50.0
"""What the integrator allows itself per site; half of Atlassian's burst limit, which all apps of a site share."""
DATABASE_CONNECTIONS: Final = 500
"""`max_connections` that one PostgreSQL server is given."""
CONNECTIONS_OF_OTHERS: Final = 50
"""Of those, for two each of relay, projector, telemetry, notifier and GraphQL, and for people."""
NATS_DAYS: Final = 30
"""How long the stream keeps a message."""
RUN_EVENT: Final = "SyncSucceeded"
"""All that a run tells which met nothing new, as most do; what one with changes tells besides is in `change_events`."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What an operator knows of their sites."""

    sites: int = 1
    projects: int = 5
    """Registered projects per site."""
    issues: int = 2000
    """Issues per project."""
    changes: float = 0.05
    """Changes of fields per issue and day."""
    comments: float = 0.02
    """New or edited comments per issue and day."""
    worklogs: float = 0.01
    """New or edited worklogs per issue and day."""
    interval: float = 900.0
    """Seconds from one scheduled sync of a project to the next."""
    jitter: float = 30.0
    """Seconds over which the runs of one tick are spread (SYNC_JITTER_SECONDS): `*/15` is the same minute for all."""
    peak: float = 4.0
    """Changes and readers in the busiest hour, as a multiple of the day's mean. Syncs come evenly."""
    readers: float = 50.0
    """People per site."""
    requests: float = 160.0
    """GraphQL requests of a reader per day."""
    latency: float = 0.3
    """Seconds that Jira takes to answer."""
    days: float = 365.0
    """After how long storage and rebuild are looked at."""
    freshness: float = 30.0
    """Seconds from a scheduled tick until what it found can be read; 99 of 100 runs are to keep it."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What one site brings about."""

    runs: float
    """Syncs a second."""
    issue_events: float
    """A day."""
    child_events: float
    """Comments and worklogs a day."""
    run_events: float
    """A day: the events of the syncs themselves."""
    events_mean: float
    """A second."""
    events_peak: float
    transactions: float
    """Of the log, a second, as the mean of a day."""
    tick_transactions: float
    """Of the log, by the runs of one tick."""
    jira_requests: float
    """A second in the busiest hour."""
    first_events: float
    """Of the first sync."""
    log_bytes: float
    """A day, with answers kept and indexes."""
    first_bytes: float
    """Log and read tables after the first sync."""
    read_bytes: float
    """Growth of the read tables a day."""
    nats_bytes: float
    """When the stream is as long as it gets, the first sync left out."""
    wal_bytes: float
    """A day."""
    ingestor_cores: float
    """In the busiest hour."""
    queries: float
    """GraphQL requests a second in the busiest hour."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is needed."""

    inputs: Inputs
    site: Site
    most_sites: dict[str, int]
    """How many sites one cell bears, by what gives out there."""
    cells: int
    sites_per_cell: int
    ingestors_per_site: int
    graphql_per_cell: int
    """At least two."""
    pods: int
    """Of all cells: ingestors, two each of relay, projector, telemetry and notifier, GraphQL."""
    ingestor_gb: float
    """Memory of all ingestors at their peak."""
    temporal_runs: float
    """Workflows a second, all cells together."""
    temporal_cores: float
    """As the development server spends them: a cluster spends more on each run."""
    database_cores: float
    """Per cell, in the busiest hour, writers and readers."""
    storage_per_day: float
    """Bytes in PostgreSQL, all cells together."""
    storage_first: float
    rebuild_hours: float
    """Of one cell's read tables, after the days of the inputs."""
    onboarding_hours: float
    """Of all sites of a cell at once, as the log takes their first events in."""


def plan(inputs: Inputs, costs: Costs) -> Plan:
    """The whole arithmetic, from one site to all cells."""
    site = one_site(inputs, costs)
    ingestors = max(1, math.ceil(site.ingestor_cores / HEADROOM))
    most = most_sites(inputs, site, ingestors, costs)
    per_cell = max(1, min(*most.values(), inputs.sites))
    cells = math.ceil(inputs.sites / per_cell)
    per_cell = math.ceil(inputs.sites / cells)
    query = next(iter(costs.queries.values()))
    graphql = max(2, math.ceil(per_cell * site.queries * query.cpu / HEADROOM))
    events_later = per_cell * (site.first_events + site.events_mean * DAY * inputs.days)
    postgres = costs.processes["postgres"]
    changed_peak = site.issue_events / DAY * inputs.peak
    return Plan(
        inputs=inputs,
        site=site,
        most_sites=most,
        cells=cells,
        sites_per_cell=per_cell,
        ingestors_per_site=ingestors,
        graphql_per_cell=graphql,
        pods=inputs.sites * ingestors + cells * (4 * 2 + graphql),
        ingestor_gb=inputs.sites * ingestors * costs.processes["ingestor"].peak_mb / 1000,
        temporal_runs=inputs.sites * site.runs,
        temporal_cores=inputs.sites * site.runs * costs.processes["temporal"].cpu_per_run,
        database_cores=per_cell
        * (
            site.runs * postgres.cpu_per_run
            + changed_peak * postgres.cpu_per_changed_issue
            + site.queries * query.database_cpu
        ),
        storage_per_day=inputs.sites * (site.log_bytes + site.read_bytes),
        storage_first=inputs.sites * site.first_bytes,
        rebuild_hours=events_later / costs.project_per_second / 3600,
        onboarding_hours=per_cell * site.first_events / costs.append_per_second / 3600,
    )


def one_site(inputs: Inputs, costs: Costs) -> Site:
    """What one site brings about."""
    issues = inputs.projects * inputs.issues
    runs = inputs.projects / inputs.interval
    # A comment or a worklog touches its issue, which is then stored anew. Two changes of an issue between two syncs
    # are one event; here each counts.
    changed = issues * (inputs.changes + inputs.comments + inputs.worklogs)
    issue_events = changed * costs.change_events
    children = issues * (inputs.comments + inputs.worklogs)
    run_events = runs * DAY * costs.run_events
    changes_peak = (issue_events + children) / DAY * inputs.peak
    # Every change of the busiest hour in a run of its own, at most all runs.
    busy_runs = min(runs, changed / DAY * inputs.peak)
    first_events = issues * 6.0  # with three comments and two worklogs an issue, as was measured
    return Site(
        runs=runs,
        issue_events=issue_events,
        child_events=children,
        run_events=run_events,
        events_mean=(issue_events + children + run_events) / DAY,
        events_peak=runs * costs.run_events + changes_peak,
        transactions=runs * costs.outcomes_per_run,
        tick_transactions=inputs.projects * costs.outcomes_per_run,
        jira_requests=(runs - busy_runs) * costs.run_requests + busy_runs * costs.changed_run_requests,
        first_events=first_events,
        log_bytes=_log_bytes(issue_events, issues * inputs.comments, issues * inputs.worklogs, runs * DAY, costs),
        first_bytes=_log_bytes(issues, issues * 3, issues * 2, 0, costs) + issues * costs.read_bytes_per_issue,
        read_bytes=runs * DAY * costs.read_bytes_per_run + children * costs.read_bytes_per_issue / 6,
        nats_bytes=NATS_DAYS * _nats_bytes(issue_events, children, runs * DAY, costs),
        wal_bytes=(issue_events + children + run_events) * costs.wal_bytes_per_event,
        ingestor_cores=runs * costs.processes["ingestor"].cpu_per_run
        + changed / DAY * inputs.peak * costs.processes["ingestor"].cpu_per_changed_issue,
        queries=inputs.readers * inputs.requests / DAY * inputs.peak,
    )


def most_sites(inputs: Inputs, site: Site, ingestors: int, costs: Costs) -> dict[str, int]:
    """How many sites one cell bears, by what gives out there."""
    rates = {
        "connections to PostgreSQL": (
            ingestors * costs.ingestor_connections,
            DATABASE_CONNECTIONS - CONNECTIONS_OF_OTHERS,
        ),
        "commits of the log, mean": (site.transactions, costs.transactions_per_second),
        # All runs of a tick begin within the jitter, and what then waits must be through in time.
        "commits of the log, at a tick": (
            site.tick_transactions / (inputs.jitter + inputs.freshness),
            costs.transactions_per_second,
        ),
        "append to the log": (site.events_peak, costs.append_per_second),
        "relay to NATS": (site.events_peak, costs.relay_per_second),
        "projector, full batches": (site.events_peak, costs.project_per_second),
        "projector, a batch for each run": (site.runs * costs.processes["projector"].cpu_per_run, 1.0),
        "telemetry, one core": (site.runs * costs.processes["telemetry"].cpu_per_run, 1.0),
    }
    return {name: int(HEADROOM * rate / per_site) for name, (per_site, rate) in rates.items()}


def _log_bytes(issues: float, comments: float, worklogs: float, runs: float, costs: Costs) -> float:
    """Rows with their indexes and stream heads, and the answers that runs keep."""
    events = costs.events
    stored = (
        issues * events["JiraIssueFetched"].stored_bytes
        + comments * events["JiraCommentFetched"].stored_bytes
        + worklogs * events["WorklogFetched"].stored_bytes
        + runs * events[RUN_EVENT].stored_bytes
    )
    count = issues + comments + worklogs + runs
    return stored + count * costs.log_bytes_per_event + runs * costs.outcomes_per_run * costs.outcome_bytes


def _nats_bytes(issues: float, children: float, runs: float, costs: Costs) -> float:
    events = costs.events
    plain = issues * events["JiraIssueFetched"].json_bytes + children * events["JiraCommentFetched"].json_bytes
    return plain + runs * events[RUN_EVENT].json_bytes + (issues + children + runs) * costs.nats_bytes_per_event
