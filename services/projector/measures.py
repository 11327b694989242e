"""What the projector measures beside the measures all services share."""

from typing import Final

from prometheus_client import Gauge

SERVICE: Final = "projector"

LAG_EVENTS: Final = Gauge("jdi_projector_lag_events", "Events in the log that the read tables do not show yet.")
SCHEMA: Final = Gauge(
    "jdi_schema_version", "Version of the tables as they are stored; part: event_log, read_tables.", ["part"]
)
PARKED: Final = Gauge("jdi_projector_parked_events", "Events set aside because they could not be applied.")
