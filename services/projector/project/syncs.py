"""The course of a project's syncs: its job and the state of each entity.

The end of a run counts unless another run has begun since: a run that died silently may be reported long after its
successor started.
"""

from libs.events import Event, SyncCancelled, SyncFailed, SyncPageRecorded, SyncStarted, SyncSucceeded
from services.projector.project import runs
from services.projector.project.state import NO_ERROR, Standing
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


def sync_started(event: SyncStarted, standing: Standing) -> None:
    runs.run_started(event, standing)
    standing.job.update(
        current_run_id=event.run_id, last_run_at=stamp(event.occurred_at), pages_done=0, pages_total=None
    )
    # The last error stays to be read until a run succeeds.
    _each_state(standing, event, status="RUNNING", run_id=event.run_id)


def sync_page_recorded(event: SyncPageRecorded, standing: Standing) -> None:
    runs.run_page_recorded(event, standing)
    if standing.job["current_run_id"] == event.run_id:
        run = standing.run(event.run_id)
        standing.job.update(pages_done=run["pages_done"], pages_total=run["pages_total"])


def sync_succeeded(event: SyncSucceeded, standing: Standing) -> None:
    runs.run_succeeded(event, standing)
    if not _ends(event, event.run_id, "SUCCESS", standing):
        return
    _each_state(
        standing,
        event,
        status="SUCCESS",
        last_sync_time=stamp(event.occurred_at),
        run_id=event.run_id,
        **NO_ERROR,
    )
    for mark in event.entities:
        state = standing.states.get(mark.entity)
        if state is not None:
            state.update(watermark=stamp(mark.watermark), rows=mark.seen)


def sync_failed(event: SyncFailed, standing: Standing) -> None:
    runs.run_failed(event, standing)
    if not _ends(event, event.run_id, "ERROR", standing):
        return
    _each_state(
        standing,
        event,
        status="FAILED",
        run_id=event.run_id,
        error_code=event.code,
        error_message=storable(event.message),
        error_advice=storable(event.advice),
        error_severity=event.severity or None,
        error_docs=storable(event.docs) or None,
    )
    for state in standing.states.values():
        state["error_since"] = state["error_since"] or stamp(event.occurred_at)
        state["error_attempts"] += 1


def sync_cancelled(event: SyncCancelled, standing: Standing) -> None:
    """A cancel is nobody's failure, and it does not hide one: what had failed before stays failed."""
    runs.run_cancelled(event, standing)
    if _ends(event, event.run_id, "CANCELLED", standing):
        for state in standing.states.values():
            status = "IDLE" if state["error_code"] is None else "FAILED"
            state.update(status=status, run_id=event.run_id, version=event.stream_version)


def _ends(event: Event, run_id: str, result: str, standing: Standing) -> bool:
    """Close the run in the job; False when another run has begun since."""
    job = standing.job
    running = job["current_run_id"]
    ended = stamp(event.occurred_at)
    if running is None:
        if job["last_run_at"] is not None and ended < job["last_run_at"]:
            return False
        job["last_run_at"] = ended
    elif running != run_id:
        return False
    if result != "CANCELLED" or job["last_result"] != "ERROR":
        job["last_result"] = result
    job["current_run_id"] = None
    job["last_ended_at"] = ended
    standing.set_job_status(paused=standing.paused)
    return True


def _each_state(standing: Standing, event: Event, **columns: object) -> None:
    for state in standing.states.values():
        state.update(columns, version=event.stream_version)
