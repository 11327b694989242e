"""A pipeline's project as people steer it, and what Temporal says of its schedule."""

from __future__ import annotations

from typing import Any

import msgspec
from temporalio.client import ScheduleActionStartWorkflow, ScheduleDescription, ScheduleHandle

from libs.events import Event, EventStore, stream_id
from libs.temporal import names
from libs.temporal.commands import carry_out, new_command_id
from libs.temporal.messages import Command, Done, RegisterProject
from services.ingestor.control.state import ControlState, fold_control
from tests.acceptance.sync.pipeline import RARELY, Pipeline

QUARTERLY = "*/15 * * * *"
"""For a test that looks at the schedule. A run of its own may come at any moment."""


class Desk:
    """Gives commands for one project, and looks at what became of them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    async def register(self, cron: str = RARELY, timezone: str = "UTC", **more: Any) -> Done:
        return await self.do(RegisterProject, cron=cron, timezone=timezone, **more)

    async def do(self, kind: type[Command], **arguments: Any) -> Done:
        """Carry out a command of this kind."""
        given = {
            "site": self.pipeline.site,
            "project": self.pipeline.project,
            "command_id": new_command_id(),
            "actor": "ann",
        }
        command: Any = kind(**(given | arguments))
        return await carry_out(self.pipeline.sender, command)

    @property
    def schedule(self) -> ScheduleHandle:
        name = names.schedule_id(self.pipeline.site, self.pipeline.project)
        return self.pipeline.client.get_schedule_handle(name)

    async def described(self) -> ScheduleDescription:
        return await self.schedule.describe()

    def events(self) -> list[Event]:
        """The project's control events, oldest first."""
        return control_events(self.pipeline.store, self.pipeline.site, self.pipeline.project)

    def state(self) -> ControlState:
        return fold_control(self.events())


def control_events(store: EventStore, site: str, project: str) -> list[Event]:
    return store.stream(stream_id(site, "control", project))


def version_in(description: ScheduleDescription) -> int | None:
    """The version of the control state that a schedule was written from."""
    action = description.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    payload = (action.memo or {}).get("version")
    return None if payload is None else int(msgspec.json.decode(payload.data))
