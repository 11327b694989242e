"""What people decide about a project, how fast it runs, and the project itself."""

from datetime import datetime

from libs.events import (
    Event,
    JiraProjectFetched,
    Pace,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    TrackedUsersChanged,
    paced,
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
    repaced(event, standing)


def project_unregistered(event: ProjectUnregistered, standing: Standing) -> None:
    standing.project["registered"] = False
    standing.tracked = ()
    repaced(event, standing)


def tracked_users_changed(event: TrackedUsersChanged, standing: Standing) -> None:
    standing.tracked = tuple(sorted(set(event.account_ids)))


def schedule_changed(event: ScheduleChanged, standing: Standing) -> None:
    standing.job.update(cron=event.cron, timezone=event.timezone)
    repaced(event, standing)


def schedule_paused(event: SchedulePaused, standing: Standing) -> None:
    standing.job.update(
        paused_at=stamp(event.occurred_at),
        paused_by=storable(event.cause),
        pause_reason=storable(event.reason) or None,
    )
    standing.set_job_status(paused=True)


def schedule_resumed(event: ScheduleResumed, standing: Standing) -> None:
    _run_again(standing)
    repaced(event, standing)


def repaced(event: Event, standing: Standing) -> None:
    """How fast the schedule runs after an event that sets or resets that."""
    since = standing.job["backoff_since"]
    before = Pace(since=None if since is None else datetime.fromisoformat(since))
    pace = paced(before, event)
    standing.job.update(
        backoff_level=pace.level,
        backoff_code=pace.code or None,
        backoff_failures=pace.failures,
        backoff_seconds=pace.seconds,
        backoff_anchor=None if pace.anchor is None else stamp(pace.anchor),
        backoff_since=None if pace.since is None else stamp(pace.since),
    )


def _run_again(standing: Standing) -> None:
    standing.job.update(paused_at=None, paused_by=None, pause_reason=None)
    standing.set_job_status(paused=False)
