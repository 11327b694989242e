"""How far behind a reader of the log is, in time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from libs.events.log.store import EventStore
from libs.events.types.event import UNRECORDED

LOOK: Final = 10
"""An event that cannot be read does not say when it was recorded; one of the next does."""


def waiting_seconds(store: EventStore, after: int, topics: Sequence[str] = ()) -> float:
    """For how long the first event after a position has been in the log; 0 when there is none (of these topics)."""
    times = (recorded.event.recorded_at for recorded in store.read(after, LOOK, topics))
    first = next((time for time in times if time != UNRECORDED), None)
    return max(0.0, (datetime.now(UTC) - first).total_seconds()) if first else 0.0
