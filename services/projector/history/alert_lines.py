"""What a person reads in the sync log about backoff and alerts."""

from collections.abc import Callable
from typing import Any, Final

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertRaised,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    Event,
    ScheduleStretched,
    StretchEnded,
)
from libs.runtime import span_text
from services.projector.history.line import Line, because, picked
from services.projector.tables.times import stamp


def slowed_down(event: BackoffApplied) -> str:
    """What a backoff does, as a sentence."""
    runs = "run" if event.failures == 1 else "runs in a row"
    return (
        f"Slowed down to every {span_text(event.seconds)} until a run succeeds:"
        f" {event.failures} {runs} failed with {event.code}."
    )


def silenced(event: AlertsSilenced) -> bool:
    """Whether it begins a silence; a moment that is over ends one."""
    return event.until > event.occurred_at


def whose(code: str | None) -> str:
    """The alerts that a silence is about."""
    return f"alerts of {code}" if code else "all alerts"


def _applied(event: BackoffApplied) -> Line:
    details = picked(event, "level", "seconds", "code", "failures")
    return Line("WARNING", slowed_down(event), {**details, "anchor": stamp(event.anchor)})


def _cleared(event: BackoffCleared) -> Line:
    return Line("INFO", f"Back to the schedule{because(event.reason).rstrip('.')}.", {})


def _raised(event: AlertRaised) -> Line:
    details = picked(event, "alert_id", "code", "category", "severity", "count", "advice")
    return Line("WARNING", f"Alert {event.code}: {event.message} {event.advice}".rstrip(), details)


def _resolved(event: AlertResolved) -> Line:
    ends = {
        AlertEnd.RECOVERED: "is over: the trouble is gone",
        AlertEnd.SUPERSEDED: "is over: the project fails in another way now",
        AlertEnd.BY_HAND: f"was resolved by {event.cause}",
        AlertEnd.UNREGISTERED: "is over: the project is not synced any more",
    }
    details = picked(event, "alert_id", "code", "end", "count")
    why = because(event.reason).rstrip(".") if event.end is AlertEnd.BY_HAND else ""
    return Line("INFO", f"Alert {event.code} {ends[event.end]}{why}.", details)


def _acknowledged(event: AlertAcknowledged) -> Line:
    message = f"{event.cause} acknowledged an alert{because(event.reason).rstrip('.')}."
    return Line("INFO", message, {"alert_id": event.alert_id})


def _silenced(event: AlertsSilenced) -> Line:
    why = because(event.reason).rstrip(".")
    if not silenced(event):
        return Line("INFO", f"{event.cause} ended the silence of {whose(event.code)}{why}.", {"code": event.code})
    details = {"code": event.code, "until": stamp(event.until)}
    return Line("INFO", f"{event.cause} silenced {whose(event.code)} until {stamp(event.until)}{why}.", details)


def stretched(event: ScheduleStretched) -> str:
    """What webhooks spare, as a sentence."""
    return f"Syncs run every {span_text(event.seconds)} while webhooks tell of changes at once."


def _stretched(event: ScheduleStretched) -> Line:
    return Line("INFO", stretched(event), {"seconds": event.seconds, "anchor": stamp(event.anchor)})


def _stretch_ended(event: StretchEnded) -> Line:
    return Line("INFO", f"Syncs run by the schedule again{because(event.reason).rstrip('.')}.", {})


ALERT_LINES: Final[dict[type[Event], Callable[[Any], Line]]] = {
    BackoffApplied: _applied,
    BackoffCleared: _cleared,
    ScheduleStretched: _stretched,
    StretchEnded: _stretch_ended,
    AlertRaised: _raised,
    AlertResolved: _resolved,
    AlertAcknowledged: _acknowledged,
    AlertsSilenced: _silenced,
}
