"""What the censuses of a project found: its row of `census`, and one of `completeness` for each entity compared."""

import msgspec

from libs.events import OVERTAKEN, CensusCompleted, CensusFailed, CensusRequested
from services.projector.project.state import NO_FAILURE, ProjectState
from services.projector.tables.text import json_text, storable
from services.projector.tables.times import stamp


def census_requested(event: CensusRequested, state: ProjectState) -> None:
    state.census.update(
        requested_at=stamp(event.occurred_at), requested_by=storable(event.cause), accepting=event.accept
    )


def census_completed(event: CensusCompleted, state: ProjectState) -> None:
    """What is here and what is not; proved, unless it was held back."""
    taken_at = stamp(event.occurred_at)
    state.census.update(
        taken_at=taken_at,
        proved_at=state.census["proved_at"] if event.brake else taken_at,
        run_id=event.run_id,
        counted=event.counted,
        gone=json_text(event.gone),
        returned=event.returned,
        fetched=event.fetched,
        held_back=event.held_back,
        brake=storable(event.brake),
        accepted_by=storable(event.accepted_by) or None,
        requests=event.requests,
        seconds=event.seconds,
        **NO_FAILURE,
    )
    for found in event.entities:
        row = state.proofs.get(found.entity)
        if row is None:  # of a later version, which proves more
            continue
        # Of a project that Jira shows no more, nothing is left to compare once a person has accepted that.
        empty = bool(event.accepted_by) and found.here == 0
        proved = not event.brake and (found.in_jira is not None or empty)
        row.update(
            in_jira=found.in_jira,
            here=found.here,
            differences=storable(json_text([msgspec.structs.asdict(each) for each in found.differences])),
            proved_at=taken_at if proved else row["proved_at"] if event.brake else None,
            version=event.stream_version,
        )


def census_failed(event: CensusFailed, state: ProjectState) -> None:
    """Nothing is known anew: what the census before it found stays to be read.

    One that was overtaken is no failure: what another census finds counts.
    """
    if event.code == OVERTAKEN:
        return
    state.census.update(
        run_id=event.run_id,
        failed_at=stamp(event.occurred_at),
        error_code=event.code,
        error_message=storable(event.message),
        error_advice=storable(event.advice),
        failures=state.census["failures"] + 1,
    )
