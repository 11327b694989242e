"""What a person reads in the sync log about records that are set aside."""

from collections.abc import Callable
from typing import Any, Final

from libs.events import Event, RecordQuarantined, RecordReleased
from services.projector.history.line import Line, picked


def _quarantined(event: RecordQuarantined) -> Line:
    place = f" (at {event.field})" if event.field not in event.why else ""
    then = "it is asked for again" if event.asked_again else "a later answer of Jira brings it by itself"
    # Its raw text stays in the quarantine: the log is read line by line.
    details = picked(event, "record", "kind", "issue_id", "issue_key", "field", "why", "asked_again")
    return Line("WARNING", f"{event.name} was set aside: {event.why.rstrip('.')}{place}; {then}.", details)


def _released(event: RecordReleased) -> Line:
    message = f"{event.record} is not set aside any more: it could be read, or is gone."
    return Line("INFO", message, picked(event, "record"))


QUARANTINE_LINES: Final[dict[type[Event], Callable[[Any], Line]]] = {
    RecordQuarantined: _quarantined,
    RecordReleased: _released,
}
