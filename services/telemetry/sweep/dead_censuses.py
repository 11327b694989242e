"""The event for a census that could not record its end itself. Pure; found as the runs of `dead_runs` are.

    closed without an event   FAILED, TIMED_OUT, TERMINATED → CensusFailed; CANCELED: nobody needs to know
    open, but blocked         its code fails in Temporal's hands, again and again → CensusFailed, and it is ended
    open, cancel in vain      it is ended
    unknown to Temporal       → CensusFailed RUN_LOST

That nobody takes it up is told by the syncs of its project, which wait as well.
"""

from __future__ import annotations

from datetime import datetime

from libs.events import CensusEvent, CensusFailed
from services.telemetry.sweep.dead_runs import Close, Explanation, Run, Trouble, why_blocked, why_closed, why_lost


def closed(run: Run, close: Close) -> CensusFailed:
    """The end of a census that Temporal has closed, and that was not cancelled."""
    return _failed(run, close.at, why_closed(run, close))


def blocked(run: Run, at: datetime, attempts: int, trouble: Trouble | None) -> CensusFailed:
    """The end of a census that its own code holds up."""
    return _failed(run, at, why_blocked(run, attempts, trouble))


def lost(run: Run, at: datetime) -> CensusFailed:
    """The end of a census that Temporal does not know any more."""
    return _failed(run, at, why_lost(run))


def _failed(run: Run, at: datetime, explanation: Explanation) -> CensusFailed:
    return CensusFailed(
        **CensusEvent.envelope(run.project.key, run.project, occurred_at=at, cause=run.run_id),
        run_id=run.run_id,
        code=explanation.code.value,
        message=explanation.message,
        advice=explanation.advice,
        seconds=max(0.0, (at - run.started_at).total_seconds()),
    )
