"""Ask the ingestor to slow a schedule down or to restore it, wherever the recorded backoff is not the desired one.

The ingestor decides by the order of the control stream: a command names the last backoff event that its sender knew,
and is void once there is a newer one. Its id names the two states that it is to reconcile, so a repetition after a
crash is the same command.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from libs.events import Awaited, Backoff, ProjectKey
from libs.temporal.messages import ApplyBackoff, ClearBackoff
from services.telemetry.alerts import ACTOR
from services.telemetry.measures import BACKOFF_COMMANDS
from services.telemetry.projects import States
from services.telemetry.state import DesiredBackoff, ProjectState

BackoffCommand = ApplyBackoff | ClearBackoff

AT_ONCE: Final = 8
"""Commands under way; more would only queue up in the ingestor."""
RETRY_SECONDS: Final = 5.0
"""After a command that failed: Temporal or the ingestor are away."""

log = structlog.get_logger(__name__)


def command_for(state: ProjectState) -> BackoffCommand | None:
    """What brings the recorded backoff to the desired one; None where they agree."""
    desired, recorded = state.desired, state.recorded
    if not state.registered or _agree(desired, recorded):
        return None
    common: dict[str, Any] = {
        "site": state.site,
        "project": state.project,
        "command_id": f"{ACTOR}:{state.site}/{state.project}:{recorded.version}:{desired.decided}",
        "actor": ACTOR,
        "expected_version": recorded.version,
    }
    if desired.level and desired.anchor is not None and desired.run_id is not None:
        return ApplyBackoff(
            **common,
            level=desired.level,
            code=desired.code,
            failures=desired.failures,
            seconds=desired.seconds,
            anchor=desired.anchor,
            run_id=desired.run_id,
        )
    return ClearBackoff(**common, run_id=desired.run_id, reason=_why_cleared(desired))


def _why_cleared(desired: DesiredBackoff) -> str:
    if desired.run_id:
        return "a run succeeded"
    if desired.freed:
        return f"another project of the site was read again, so {' and '.join(desired.freed)} is over"
    return "the failures so far do not slow it down"


def _agree(desired: DesiredBackoff, recorded: Backoff) -> bool:
    if not desired.level:
        return not recorded.level
    return (desired.level, desired.code, desired.failures, desired.seconds, desired.anchor) == (
        recorded.level,
        recorded.code,
        recorded.failures,
        recorded.seconds,
        recorded.anchor,
    )


class BackoffController:
    """Has the commands carried out, one at a time for each project, beside the loop that follows the log."""

    def __init__(
        self,
        send: Callable[[BackoffCommand], Awaitable[object]],
        stop: Awaited,
        on_done: Callable[[], None],
        on_health: Callable[[str | None], None],
    ) -> None:
        """It begins nothing by itself: see `reconcile`.

        Args:
            send: carries a command out, or raises.
            stop: ends the waiting after a failure.
            on_done: called after each command: its outcome is in the log.
            on_health: hears why a command could not be carried out, and None when one could again.
        """
        self._send, self._stop, self._on_done, self._on_health = send, stop, on_done, on_health
        self._states: States = {}
        self._busy: dict[ProjectKey, asyncio.Task[None]] = {}
        self._done: dict[ProjectKey, str] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def reconcile(self, states: States) -> None:
        """Begin the commands that these states call for."""
        self._states = states
        for key, state in states.items():
            self._begin(key, state)
        if not self._busy:
            self._on_health(None)

    async def close(self) -> None:
        """Cancel what is under way. A command that was sent goes on by itself; the log will hold its outcome."""
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _begin(self, key: ProjectKey, state: ProjectState) -> None:
        command = command_for(state)
        # Carried out, and still called for: a newer event made it void, and will come by the log.
        if command is None or key in self._busy or self._done.get(key) == command.command_id:
            return
        self._busy[key] = asyncio.create_task(self._carry_out(key, command), name=f"backoff of {command.project}")

    async def _carry_out(self, key: ProjectKey, command: BackoffCommand) -> None:
        try:
            async with self._slots:
                await self._send(command)
        except Exception as error:  # noqa: BLE001 - whatever it is, the difference stays and is tried again
            BACKOFF_COMMANDS.labels("failed").inc()
            why = f"the backoff of {command.project} could not be set: {error}".splitlines()[0]
            log.warning("backoff could not be set; trying again", site=command.site, project=command.project, why=why)
            self._on_health(why)
            await self._stop.sleep(RETRY_SECONDS)
        else:
            BACKOFF_COMMANDS.labels("done").inc()
            log.info("backoff set", site=command.site, project=command.project, command=type(command).__name__)
            self._done[key] = command.command_id
            self._on_health(None)
            self._on_done()
        finally:
            del self._busy[key]
        if not self._stop.is_set() and key in self._states:
            self._begin(key, self._states[key])
