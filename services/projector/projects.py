"""What people decide about a project, and the project itself."""

from libs.events import (
    JiraProjectFetched,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    TrackedUsersChanged,
)
from services.projector.standing import Standing
from services.projector.storable import storable
from services.projector.times import stamp


def project_fetched(event: JiraProjectFetched, standing: Standing) -> None:
    standing.project.update(project_id=event.project_id, name=event.name or event.key)


def project_registered(event: ProjectRegistered, standing: Standing) -> None:
    standing.project.update(registered=True, registered_at=stamp(event.occurred_at))
    standing.job.update(
        schedule_id=event.schedule_id, workflow_id=event.workflow_id, cron=event.cron, timezone=event.timezone
    )
    _run_again(standing)


def project_unregistered(_event: ProjectUnregistered, standing: Standing) -> None:
    standing.project["registered"] = False
    standing.tracked = ()


def tracked_users_changed(event: TrackedUsersChanged, standing: Standing) -> None:
    standing.tracked = tuple(sorted(set(event.account_ids)))


def schedule_changed(event: ScheduleChanged, standing: Standing) -> None:
    standing.job.update(cron=event.cron, timezone=event.timezone)


def schedule_paused(event: SchedulePaused, standing: Standing) -> None:
    standing.job.update(
        paused_at=stamp(event.occurred_at),
        paused_by=storable(event.cause),
        pause_reason=storable(event.reason) or None,
    )
    standing.set_job_status(paused=True)


def schedule_resumed(_event: ScheduleResumed, standing: Standing) -> None:
    _run_again(standing)


def _run_again(standing: Standing) -> None:
    standing.job.update(paused_at=None, paused_by=None, pause_reason=None)
    standing.set_job_status(paused=False)
