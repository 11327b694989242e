"""The course of a project's syncs: its job and the state of each entity.

The end of a run counts unless another run has begun since: a run that died silently may be reported long after its
successor started.
"""

from datetime import datetime

from libs.events import SyncCancelled, SyncFailed, SyncPageRecorded, SyncStarted, SyncSucceeded, SyncWaiting
from services.projector.project import runs
from services.projector.project.state import NO_ERROR, NO_WAIT, ProjectState
from services.projector.tables.text import storable
from services.projector.tables.times import stamp

Ended = SyncSucceeded | SyncFailed | SyncCancelled


def sync_started(event: SyncStarted, state: ProjectState) -> None:
    runs.run_started(event, state)
    _begin(event.run_id, event.occurred_at, state)
    # The last error stays to be read until a run succeeds.
    _each_entity(state, event, status="RUNNING")


def _begin(run_id: str, at: datetime, state: ProjectState) -> None:
    begun = {"current_run_id": run_id, "last_run_at": stamp(at)}
    state.job.update(begun, pages_done=0, pages_total=None, **NO_WAIT)


def sync_page_recorded(event: SyncPageRecorded, state: ProjectState) -> None:
    runs.run_page_recorded(event, state)
    _wait_no_more(event.run_id, state)
    if state.job["current_run_id"] == event.run_id:
        run = state.run(event.run_id)
        state.job.update(pages_done=run["pages_done"], pages_total=run["pages_total"])


def sync_waiting(event: SyncWaiting, state: ProjectState) -> None:
    """What a run waits for, also before it has begun; one that is over, or has a successor, waits no more."""
    run, running = state.runs.get(event.run_id), state.job["current_run_id"]
    if running not in (None, event.run_id) or (run is not None and run["result"] != "RUNNING"):
        return
    state.job.update(
        waiting_run_id=event.run_id,
        waiting_step=storable(event.step),
        waiting_code=event.code,
        waiting_message=storable(event.message),
        waiting_until=stamp(event.until),
    )


def _wait_no_more(run_id: str, state: ProjectState) -> None:
    if state.job["waiting_run_id"] == run_id:
        state.job.update(NO_WAIT)


def sync_succeeded(event: SyncSucceeded, state: ProjectState) -> None:
    if event.began_at is not None and event.run_id not in state.runs:
        runs.run_began(event, event.began_at, state)
        _begin(event.run_id, event.began_at, state)
    runs.run_succeeded(event, state)
    if not _ends(event, "SUCCESS", state):
        return
    _each_entity(state, event, status="SUCCESS", last_sync_time=stamp(event.occurred_at), **NO_ERROR)
    for read in event.entities:
        if read.entity in state.entities:
            state.entities[read.entity].update(watermark=stamp(read.watermark), rows=read.seen)


def sync_failed(event: SyncFailed, state: ProjectState) -> None:
    runs.run_failed(event, state)
    if not _ends(event, "ERROR", state):
        return
    _each_entity(state, event, status="FAILED", **runs.error_columns(event))
    for entity in state.entities.values():
        entity["error_since"] = entity["error_since"] or stamp(event.occurred_at)
        entity["error_attempts"] += 1


def sync_cancelled(event: SyncCancelled, state: ProjectState) -> None:
    """A cancel is nobody's failure, and it does not hide one: what had failed before stays failed."""
    runs.run_cancelled(event, state)
    if not _ends(event, "CANCELLED", state):
        return
    _each_entity(state, event)
    for entity in state.entities.values():
        entity["status"] = "IDLE" if entity["error_code"] is None else "FAILED"


def _ends(event: Ended, result: str, state: ProjectState) -> bool:
    """Close the run in the job; False when another run has begun since."""
    job = state.job
    _wait_no_more(event.run_id, state)
    running = job["current_run_id"]
    ended = stamp(event.occurred_at)
    if running is None:
        if job["last_run_at"] is not None and ended < job["last_run_at"]:
            return False
        job["last_run_at"] = ended
    elif running != event.run_id:
        return False
    if result != "CANCELLED" or job["last_result"] != "ERROR":
        job["last_result"] = result
    job["current_run_id"] = None
    job["last_ended_at"] = ended
    state.set_job_status(paused=state.paused)
    return True


def _each_entity(state: ProjectState, event: SyncStarted | Ended, **columns: object) -> None:
    for entity in state.entities.values():
        entity.update(columns, run_id=event.run_id, version=event.stream_version)
