"""An ingestor that kills itself, once, at a named point of a command.

CRASH_AT names the point, CRASHED is the file that remembers that it has happened.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from libs.events import Append, Appended, ProjectKey
from libs.runtime import run_service
from services.ingestor import __main__ as ingestor
from services.ingestor.control.schedules import ObservedSchedule, ScheduleGateway
from services.ingestor.control.state import ControlState
from services.ingestor.event_log import EventLog
from services.ingestor.settings import Settings

POINTS = (
    "before-event",  # decided, nothing is stored
    "after-event",  # stored, Temporal does not know
    "before-schedule",  # about to write the schedule
    "after-schedule",  # written, nobody knows that it is
    "before-trigger",  # about to start the run
    "after-trigger",  # started, nobody knows that it is
)


def crash(point: str) -> None:
    """Die as by kill -9, when this is the point and it has not happened yet."""
    crashed = Path(os.environ["CRASHED"])
    if os.environ["CRASH_AT"] == point and not crashed.exists():
        crashed.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class CrashingEventLog(EventLog):
    async def append(self, append: Append) -> Appended:
        command = bool(append.idempotency_key and append.idempotency_key.startswith("command:test-"))
        if command:
            crash("before-event")
        result = await super().append(append)
        if command:
            crash("after-event")
        return result


class CrashingGateway(ScheduleGateway):
    async def write(self, project: ProjectKey, desired: ControlState, observed: ObservedSchedule | None) -> None:
        armed = observed is not None
        if armed:
            crash("before-schedule")
        await super().write(project, desired, observed)
        if armed:
            crash("after-schedule")

    async def trigger(self, project: ProjectKey, request_id: str) -> bool:
        armed = request_id.startswith("test-")
        if armed:
            crash("before-trigger")
        found = await super().trigger(project, request_id)
        if armed:
            crash("after-trigger")
        return found


def main() -> None:
    """The real ingestor, but for the two classes."""
    module: Any = ingestor
    module.EventLog, module.ScheduleGateway = CrashingEventLog, CrashingGateway
    run_service("ingestor", Settings, ingestor.main)


if __name__ == "__main__":
    main()
