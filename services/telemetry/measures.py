"""What telemetry measures of syncs. Counters start at zero with the process, as Prometheus expects."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

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
    "jira_sync_last_success_timestamp_seconds", "When a sync last succeeded, as Unix time.", ["site", "project"]
)
