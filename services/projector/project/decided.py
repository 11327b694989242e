"""What people decide about a project, how fast it runs, and the project itself."""

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
    TrackedUsersChanged,
    backoff_after,
)
from services.projector.project.state import Standing
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


def project_fetched(event: JiraProjectFetched, standing: Standing) -> None:
    standing.project.update(project_id=event.project_id, name=event.name or event.key)


def project_registered(event: ProjectRegistered, standing: Standing) -> None:
    standing.project.update(registered=True, registered_at=stamp(event.occurred_at))
    standing.job.update(
        schedule_id=event.schedule_id, workflow_id=event.workflow_id, cron=event.cron, timezone=event.timezone
    )
    _run_again(standing)
    backoff_changed(event, standing)


def project_unregistered(event: ProjectUnregistered, standing: Standing) -> None:
    standing.project["registered"] = False
    standing.tracked = ()
    backoff_changed(event, standing)


def tracked_users_changed(event: TrackedUsersChanged, standing: Standing) -> None:
    standing.tracked = tuple(sorted(set(event.account_ids)))


def schedule_changed(event: ScheduleChanged, standing: Standing) -> None:
    standing.job.update(cron=event.cron, timezone=event.timezone)
    backoff_changed(event, standing)


def schedule_paused(event: SchedulePaused, standing: Standing) -> None:
    standing.job.update(
        paused_at=stamp(event.occurred_at),
        paused_by=storable(event.cause),
        pause_reason=storable(event.reason) or None,
    )
    standing.set_job_status(paused=True)


def schedule_resumed(event: ScheduleResumed, standing: Standing) -> None:
    _run_again(standing)
    backoff_changed(event, standing)


def backoff_changed(event: Event, standing: Standing) -> None:
    """How fast the schedule runs after an event that sets or resets that."""
    since = standing.job["backoff_since"]
    before = Backoff(since=None if since is None else datetime.fromisoformat(since))
    backoff = backoff_after(before, event)
    standing.job.update(
        backoff_level=backoff.level,
        backoff_code=backoff.code or None,
        backoff_failures=backoff.failures,
        backoff_seconds=backoff.seconds,
        backoff_anchor=None if backoff.anchor is None else stamp(backoff.anchor),
        backoff_since=None if backoff.since is None else stamp(backoff.since),
    )


def _run_again(standing: Standing) -> None:
    standing.job.update(paused_at=None, paused_by=None, pause_reason=None)
    standing.set_job_status(paused=False)
