"""What the projector measures beside the measures all services share."""

from typing import Final

from prometheus_client import Gauge

SERVICE: Final = "projector"

LAG: Final = Gauge("jdi_projector_lag_events", "Events in the log that the read tables do not show yet.")
PARKED: Final = Gauge("jdi_projector_parked_events", "Events set aside because they could not be applied.")
