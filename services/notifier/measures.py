"""What the notifier measures. Counters start at zero with the process, as Prometheus expects."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

NOTIFICATIONS: Final = Counter(
    "notifications_total",
    "Attempts to send a notice by outcome: sent, retried, dead; code is that of the failure, else empty.",
    ["channel", "reason", "outcome", "code"],
)
LATENCY: Final = Histogram(
    "notification_latency_seconds",
    "Time from the decision to send a notice until its provider had it.",
    ["channel"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 3600, 14400, 86400),
)
CHANNELS: Final = Gauge("notification_channels", "Channels that are set up; with none, alerts reach nobody.")
WAITING: Final = Gauge("notifications_waiting", "Notices that are on their way.")
DEAD: Final = Gauge("notifications_dead", "Notices that were given up and may be redriven.")
