"""The schedules of the censuses: one for each project, paused and removed with that of its syncs.

How often they come is a setting of the ingestor, no decision about a project. A pause that somebody sets or lifts in
Temporal's own console stands until the project itself is paused or resumed.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)

from libs.events import ProjectKey
from libs.temporal import names
from libs.temporal.census import CensusInput
from services.ingestor.control.schedules import CATCH_UP, TASK_TIMEOUT, ObservedSchedule, Schedules
from services.ingestor.control.state import ControlState

LONGEST_CENSUS = timedelta(hours=3)
"""A census that hangs blocks its schedule, so Temporal ends it in the end."""

IDLE = timedelta(hours=6)
"""The interval of schedules that start nothing by themselves."""


class CensusSchedules(Schedules):
    """Writes the schedules of the censuses; with no time between two, they start only what is asked for."""

    def __init__(self, client: Client, every: timedelta) -> None:
        super().__init__(client)
        self._every = every

    @property
    def by_themselves(self) -> bool:
        """Whether censuses are taken that nobody has asked for."""
        return bool(self._every)

    def id_of(self, project: ProjectKey) -> str:
        return names.census_schedule_id(*project)

    def agrees(self, desired: ControlState, observed: ObservedSchedule | None) -> bool:
        """Whether Temporal holds what we would write, but for a pause by hand."""
        if observed is None:
            return not desired.registered
        return desired.registered and observed.memo == self._noted(desired)

    def whole(self, project: ProjectKey, desired: ControlState) -> Schedule:
        every = self._every or IDLE
        return Schedule(
            action=ScheduleActionStartWorkflow(
                names.CENSUS_WORKFLOW,
                CensusInput(site=project.site, project=project.key),
                id=names.census_workflow_id(*project),
                task_queue=names.SYNC_QUEUE,
                execution_timeout=LONGEST_CENSUS,
                task_timeout=TASK_TIMEOUT,
                memo=self._noted(desired),
            ),
            spec=ScheduleSpec(
                intervals=[ScheduleIntervalSpec(every=every, offset=_offset(project, every))], jitter=every / 20
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
            state=ScheduleState(paused=desired.paused or not self._every, note=self._note(desired)),
        )

    def _noted(self, desired: ControlState) -> dict[str, int | bool]:
        return {"seconds": int(self._every.total_seconds()), "paused": desired.paused}

    def _note(self, desired: ControlState) -> str:
        """What Temporal's own console says of the schedule."""
        if desired.paused:
            return f"Paused with the project's syncs by {desired.paused_by}"
        return "" if self._every else "No censuses but those that are asked for: JIRA_CENSUS_SECONDS is 0"


def _offset(project: ProjectKey, every: timedelta) -> timedelta:
    """Spreads the projects over the time between two censuses; always the same for one."""
    drawn = int.from_bytes(hashlib.blake2b("/".join(project).encode(), digest_size=8).digest(), "big")
    return timedelta(seconds=drawn % max(int(every.total_seconds()), 1))
