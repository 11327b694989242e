"""How projects are meant to be synced, as the log says now; of a stream that was folded before, what has come since."""

from __future__ import annotations

from libs.events import ControlEvent, ProjectKey
from services.ingestor.control.state import ControlState, fold_control
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import control_entity


class KnownStates:
    """Keeps what it has folded: what a stream holds never changes."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._states: dict[ProjectKey, ControlState] = {}

    async def now(self, project: ProjectKey) -> ControlState:
        """The state of a project, or of a site as a whole, at the end of its control stream."""
        known = self._states.get(project, ControlState())
        events = await self._log.stream(ControlEvent.stream_of(project.site, control_entity(project)), known.length)
        state = self._states[project] = fold_control(events, known)
        return state
