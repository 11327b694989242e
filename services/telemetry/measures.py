"""What telemetry measures of syncs. Counters start at zero with the process, as Prometheus expects."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from libs.events import ProjectKey
from services.telemetry.state import ProjectState

SYNC_RUNS: Final = Counter(
    "jira_sync_runs_total",
    "Ended syncs by outcome: succeeded, failed, cancelled; code is that of the failure, else empty.",
    ["site", "project", "outcome", "code"],
)
SYNC_SECONDS: Final = Histogram(
    "jira_sync_duration_seconds",
    "Duration of a sync that succeeded.",
    ["site", "project", "mode"],
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
)
SYNC_ROWS: Final = Counter(
    "jira_sync_rows_total", "Rows fetched from Jira by syncs that succeeded.", ["site", "project", "entity"]
)
LAST_SUCCESS: Final = Gauge(
    "jira_sync_last_success_timestamp_seconds",
    "When a sync last succeeded, as Unix time; 0 when none has since the project was registered.",
    ["site", "project"],
)
REGISTERED: Final = Gauge(
    "jira_project_registered_timestamp_seconds", "When the project was registered, as Unix time.", ["site", "project"]
)
INTERVAL: Final = Gauge(
    "jira_sync_interval_seconds",
    "The longest time between two runs as people set the schedule, a weekend for instance; 0 when that cannot be said.",
    ["site", "project"],
)
PAUSED: Final = Gauge("jira_sync_paused", "1 while people have paused the schedule, else 0.", ["site", "project"])
BACKOFF_LEVEL: Final = Gauge(
    "jira_sync_backoff_level",
    "How far a project's schedule is slowed down; 0: it runs as people set it.",
    ["site", "project"],
)
BACKOFF_SECONDS: Final = Gauge(
    "jira_sync_backoff_seconds", "From one run to the next while slowed down, else 0.", ["site", "project"]
)
ALERTS_OPEN: Final = Gauge("jira_alerts_open", "Alerts that are not resolved.", ["site", "project"])
CENSUSES: Final = Counter(
    "jira_census_total",
    "Ended censuses by outcome: proved, held_back, failed; code is that of the failure, else empty.",
    ["site", "project", "outcome", "code"],
)
CENSUS_REQUESTS: Final = Counter("jira_census_requests_total", "Requests to Jira by censuses.", ["site", "project"])
ISSUES_GONE: Final = Counter(
    "jira_issues_gone_total",
    "Issues that censuses found gone; reason: as of an absence.",
    ["site", "project", "reason"],
)
LAST_PROOF: Final = Gauge(
    "jira_census_last_proof_timestamp_seconds",
    "When a census last proved the project to be complete, as Unix time; 0 when none has.",
    ["site", "project"],
)
DIFFERENCES: Final = Gauge(
    "jira_completeness_differences",
    "Records on one side only, as the last census found them; entity: issue, comment, worklog; cause: LATE, OWED,"
    " QUARANTINED, RESTRICTED, HELD_BACK, UNEXPLAINED.",
    ["site", "project", "entity", "cause"],
)
BACKOFF_COMMANDS: Final = Counter(
    "jira_pace_commands_total", "Times the ingestor was asked to set a pace, by outcome: done, failed.", ["outcome"]
)
RUNS_FOUND: Final = Counter(
    "jira_sync_runs_found_total",
    "Runs whose end, or standstill, the sweep of Temporal had to tell; how: failed, timed_out, terminated, cancelled,"
    " blocked, untaken, lost.",
    ["site", "project", "how"],
)


OF_PROJECTS: Final = (
    LAST_SUCCESS,
    REGISTERED,
    INTERVAL,
    PAUSED,
    BACKOFF_LEVEL,
    BACKOFF_SECONDS,
    ALERTS_OPEN,
    LAST_PROOF,
)
_shown: Final = set[ProjectKey]()
_differing: Final = set[tuple[str, ...]]()


def show(states: Iterable[ProjectState]) -> None:
    """Set the gauges of these projects, and drop those of others. Not cleared: a scrape may come at any time."""
    known = {state.project_key: state for state in states}
    for of, state in known.items():
        LAST_SUCCESS.labels(*of).set(state.succeeded.timestamp() if state.succeeded else 0)
        REGISTERED.labels(*of).set(state.since.timestamp() if state.since else 0)
        INTERVAL.labels(*of).set(max(state.longest_gap, state.stretch.seconds))
        PAUSED.labels(*of).set(state.paused)
        BACKOFF_LEVEL.labels(*of).set(state.recorded.level)
        BACKOFF_SECONDS.labels(*of).set(state.recorded.seconds)
        ALERTS_OPEN.labels(*of).set(len(state.alerts))
        LAST_PROOF.labels(*of).set(state.proof.proved.timestamp() if state.proof.proved else 0)
    for of in _shown - known.keys():
        for gauge in OF_PROJECTS:
            gauge.remove(*of)
    _shown.clear()
    _shown.update(known)
    _show_differences(known.values())


def _show_differences(states: Iterable[ProjectState]) -> None:
    found = {
        (*state.project_key, *what.split("/")): number
        for state in states
        for what, number in state.proof.differences.items()
    }
    for labels, number in found.items():
        DIFFERENCES.labels(*labels).set(number)
    for labels in _differing - found.keys():
        DIFFERENCES.remove(*labels)
    _differing.clear()
    _differing.update(found)
