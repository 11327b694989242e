"""The settings of a project, which people decide on, its backoff, and the project itself."""

from datetime import datetime

from libs.events import (
    Backoff,
    Event,
    JiraProjectFetched,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    Stretch,
    TrackedUsersChanged,
    backoff_after,
    stretch_after,
)
from services.projector.project.state import ProjectState
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


def project_fetched(event: JiraProjectFetched, state: ProjectState) -> None:
    key = storable(event.key)
    state.project.update(project_id=event.project_id, jira_key=key, name=storable(event.name) or key)


def project_registered(event: ProjectRegistered, state: ProjectState) -> None:
    state.project.update(registered=True, registered_at=stamp(event.occurred_at))
    state.job.update(
        schedule_id=event.schedule_id, workflow_id=event.workflow_id, cron=event.cron, timezone=event.timezone
    )
    _run_again(state)
    backoff_changed(event, state)


def project_unregistered(event: ProjectUnregistered, state: ProjectState) -> None:
    state.project["registered"] = False
    state.tracked = ()
    state.forget_censuses()
    backoff_changed(event, state)


def tracked_users_changed(event: TrackedUsersChanged, state: ProjectState) -> None:
    state.tracked = tuple(sorted(set(event.account_ids)))
    state.forget_censuses()


def schedule_changed(event: ScheduleChanged, state: ProjectState) -> None:
    state.job.update(cron=event.cron, timezone=event.timezone)
    backoff_changed(event, state)


def schedule_paused(event: SchedulePaused, state: ProjectState) -> None:
    state.job.update(
        paused_at=stamp(event.occurred_at),
        paused_by=storable(event.cause),
        pause_reason=storable(event.reason) or None,
    )
    state.set_job_status(paused=True)


def schedule_resumed(event: ScheduleResumed, state: ProjectState) -> None:
    _run_again(state)
    backoff_changed(event, state)


def backoff_changed(event: Event, state: ProjectState) -> None:
    """How fast the schedule runs after an event that sets or resets that."""
    stretch_changed(event, state)
    since = state.job["backoff_since"]
    before = Backoff(since=None if since is None else datetime.fromisoformat(since))
    backoff = backoff_after(before, event)
    state.job.update(
        backoff_level=backoff.level,
        backoff_code=backoff.code or None,
        backoff_failures=backoff.failures,
        backoff_seconds=backoff.seconds,
        backoff_anchor=None if backoff.anchor is None else stamp(backoff.anchor),
        backoff_since=None if backoff.since is None else stamp(backoff.since),
    )


def stretch_changed(event: Event, state: ProjectState) -> None:
    """Whether webhooks spare it runs after an event that may say so."""
    anchor, seconds = state.job["stretch_anchor"], state.job["stretch_seconds"]
    before = Stretch(seconds=seconds, anchor=None if anchor is None else datetime.fromisoformat(anchor))
    stretch = stretch_after(before, event)
    state.job.update(
        stretch_seconds=stretch.seconds,
        stretch_anchor=None if stretch.anchor is None else stamp(stretch.anchor),
    )


def _run_again(state: ProjectState) -> None:
    state.job.update(paused_at=None, paused_by=None, pause_reason=None)
    state.set_job_status(paused=False)
