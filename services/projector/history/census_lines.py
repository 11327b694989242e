"""What a person reads in the sync log about censuses: what is proved, what differs, what went, what was held back."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from libs.events import CensusCompleted, CensusFailed, CensusRequested, Difference, EntityProof, Event
from services.projector.history.line import Line, because, count, picked

CAUSES: Final = {
    "LATE": "late in Jira's index",
    "OWED": "not read yet",
    "QUARANTINED": "set aside",
    "RESTRICTED": "not shown to our account",
    "HELD_BACK": "held back",
    "UNEXPLAINED": "unexplained",
}
REASONS: Final = {
    "DELETED": "deleted",
    "MOVED": "moved to another project",
    "HIDDEN": "hidden from our account",
    "UNTRACKED": "not tracked any more",
    "POLICY": "kept from us by a data policy",
}


def _requested(event: CensusRequested) -> Line:
    if event.accept:
        message = f"{event.cause} accepted that what the last census held back goes{because(event.reason)}."
    else:
        message = f"{event.cause} asked for a census{because(event.reason)}."
    return Line("INFO", message, picked(event, "request_id", "accept"))


def _completed(event: CensusCompleted) -> Line:
    parts = [_compared(event.entities), *_changes(event)]
    if event.brake:
        parts.append(f"Nothing was removed: {event.brake.rstrip('.')}.")
    if event.accepted_by:
        parts.append(f"Accepted by {event.accepted_by}.")
    details = picked(event, "entities", "counted", "gone", "held_back", "brake", "requests", "seconds")
    return Line(_level(event), f"Census of {event.project}: {' '.join(parts)}", details)


def _compared(entities: Iterable[EntityProof]) -> str:
    """How many are here of how many, and what the difference is."""
    said = "; ".join(_entity(each) for each in entities)
    return f"{said}." if said else "nothing was compared."


def _entity(proof: EntityProof) -> str:
    here = f"{proof.here:,}"
    many = f"{here} of {count(proof.in_jira, proof.entity)}" if proof.in_jira is not None else f"{here} {proof.entity}s"
    causes = ", ".join(f"{each.number:,} {_cause(each)}" for each in proof.differences)
    return f"{many} ({causes})" if causes else many


def _cause(difference: Difference) -> str:
    return CAUSES.get(difference.cause.value, difference.cause.value)


def _changes(event: CensusCompleted) -> list[str]:
    """What it changed, a sentence each."""
    gone = ", ".join(f"{each.number:,} {REASONS.get(each.reason, each.reason)}" for each in event.gone)
    said = {
        f"Gone: {gone}.": bool(gone),
        f"Shown again: {count(event.returned, 'issue')}.": event.returned,
        f"Fetched, as it was missing: {count(event.fetched, 'issue')}.": event.fetched,
    }
    return [sentence for sentence, holds in said.items() if holds]


def _level(event: CensusCompleted) -> str:
    causes = {difference.cause.value for proof in event.entities for difference in proof.differences}
    return "WARNING" if event.brake or "UNEXPLAINED" in causes else "INFO"


def _failed(event: CensusFailed) -> Line:
    message = f"Census of {event.project} failed, and proved nothing: {event.message} {event.advice}".rstrip()
    return Line("WARNING", message, picked(event, "code", "message", "advice", "requests", "seconds"))


CENSUS_LINES: Final[dict[type[Event], Callable[[Any], Line]]] = {
    CensusRequested: _requested,
    CensusCompleted: _completed,
    CensusFailed: _failed,
}
