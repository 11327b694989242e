"""The projects that `JIRA_PROJECTS` names: registered as the ingestor starts, several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog
from temporalio.exceptions import ApplicationError

from libs.runtime import Stop
from libs.temporal.messages import ProjectRef, RegisterProject, Trigger
from services.ingestor.control.activities import ControlActivities

AT_ONCE: Final = 8
"""Projects that are seen to at once."""
TRIGGERS_AT_ONCE: Final = 64
"""Each is one short call; those that come late wait behind the work of the syncs that have begun."""
STEP_SECONDS: Final = 20.0
"""What takes longer is tried again, after the others."""
PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0

log = structlog.get_logger()

T = TypeVar("T")
S = TypeVar("S", RegisterProject, Trigger)


async def register_all(control: ControlActivities, commands: Sequence[RegisterProject], stop: Stop) -> None:
    """Register the projects, the first ones first. One that is refused, or that fails, holds up no other."""
    pause = PAUSE_SECONDS
    while (commands := await _round(control, commands)) and not stop.is_set():
        await stop.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def _round(control: ControlActivities, commands: Sequence[RegisterProject]) -> list[RegisterProject]:
    """Try them all once; those that are to be tried again, because the log or Temporal are away.

    The syncs of those that are new begin when all are registered, one soon after another: what a sync does from then
    on would keep the others from beginning. The schedules of censuses, which are hours away, come last and one by one.
    """
    failed: dict[str, Exception] = {}
    triggers: list[Trigger] = []
    for command, outcome in await _each(control.register, commands):
        match outcome:
            case ApplicationError():
                log.error("project could not be registered", project=command.project, why=outcome.message)
            case Exception():
                failed[command.project] = outcome
            case Trigger():
                triggers.append(outcome)
    steps = (control.trigger_schedule, TRIGGERS_AT_ONCE), (lambda new: control.apply_schedule(_project_of(new)), 1)
    for step, at_once in steps:
        done = await _each(step, [trigger for trigger in triggers if trigger.project not in failed], at_once)
        failed |= {trigger.project: outcome for trigger, outcome in done if outcome is not None}
    for project, error in failed.items():
        log.warning("project is not registered yet", project=project, why=str(error) or type(error).__name__)
    return [command for command in commands if command.project in failed]


async def _each(
    step: Callable[[S], Awaitable[T]], messages: Sequence[S], at_once: int = AT_ONCE
) -> list[tuple[S, T | Exception]]:
    """Take a step for each, so many at once: what came of it, in their order."""
    slots = asyncio.Semaphore(at_once)

    async def one(message: S) -> T | Exception:
        async with slots:
            try:
                async with asyncio.timeout(STEP_SECONDS):
                    return await step(message)
            except Exception as error:  # noqa: BLE001 - a refusal, or the log or Temporal are away
                return error

    return list(zip(messages, await asyncio.gather(*map(one, messages)), strict=True))


def _project_of(trigger: Trigger) -> ProjectRef:
    return ProjectRef(site=trigger.site, project=trigger.project)
