"""Ask the ingestor to slow a schedule down or to restore it, wherever the recorded pace is not the wanted one.

The ingestor decides by the order of the control stream: a command names the pace event that it knows as the last, and
comes to nothing once there is a newer one. Its id says what it answers, so a repetition after a crash is the same one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from libs.events import Awaited, Backoff
from libs.temporal.messages import ApplyBackoff, ClearBackoff
from services.telemetry.alerts import ACTOR
from services.telemetry.loop import Key, States
from services.telemetry.measures import BACKOFF_COMMANDS
from services.telemetry.state import ProjectState, Wanted

BackoffCommand = ApplyBackoff | ClearBackoff

AT_ONCE: Final = 8
"""Commands under way; more would only queue up in the ingestor."""
RETRY_SECONDS: Final = 5.0
"""After a command that failed: Temporal or the ingestor are away."""

log = structlog.get_logger(__name__)


def command_for(state: ProjectState) -> BackoffCommand | None:
    """What brings the recorded pace to the wanted one; None where they agree."""
    wanted, recorded = state.wanted, state.recorded
    if not state.registered or _agree(wanted, recorded):
        return None
    frame: dict[str, Any] = {
        "site": state.site,
        "project": state.project,
        "command_id": f"{ACTOR}:{state.site}/{state.project}:{recorded.version}:{wanted.decided}",
        "actor": ACTOR,
        "expected_version": recorded.version,
    }
    if wanted.level and wanted.anchor is not None and wanted.run_id is not None:
        return ApplyBackoff(
            **frame,
            level=wanted.level,
            code=wanted.code,
            failures=wanted.failures,
            seconds=wanted.seconds,
            anchor=wanted.anchor,
            run_id=wanted.run_id,
        )
    reason = "a run succeeded" if wanted.run_id else "the failures so far do not slow it down"
    return ClearBackoff(**frame, run_id=wanted.run_id, reason=reason)


def _agree(wanted: Wanted, recorded: Backoff) -> bool:
    if not wanted.level:
        return not recorded.level
    return (wanted.level, wanted.code, wanted.failures, wanted.seconds, wanted.anchor) == (
        recorded.level,
        recorded.code,
        recorded.failures,
        recorded.seconds,
        recorded.anchor,
    )


class BackoffController:
    """Carries the commands out, one at a time for each project, beside the loop that watches the log."""

    def __init__(
        self,
        send: Callable[[BackoffCommand], Awaitable[object]],
        stop: Awaited,
        on_done: Callable[[], None],
        on_health: Callable[[str | None], None],
    ) -> None:
        """It begins nothing by itself: see `look`.

        Args:
            send: carries a command out, or raises.
            stop: ends the waiting after a failure.
            on_done: called after each command: the log holds what it came to.
            on_health: hears why a command could not be carried out, and None when one could again.
        """
        self._send, self._stop, self._on_done, self._on_health = send, stop, on_done, on_health
        self._states: States = {}
        self._busy: dict[Key, asyncio.Task[None]] = {}
        self._answered: dict[Key, str] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def look(self, states: States) -> None:
        """Begin what these states ask for."""
        self._states = states
        for key, state in states.items():
            self._begin(key, state)
        if not self._busy:
            self._on_health(None)

    async def close(self) -> None:
        """End what is under way. A command that has left goes on by itself, and the log tells what became of it."""
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _begin(self, key: Key, state: ProjectState) -> None:
        command = command_for(state)
        # What was answered and is still asked for is overtaken: the log will bring why.
        if command is None or key in self._busy or self._answered.get(key) == command.command_id:
            return
        self._busy[key] = asyncio.create_task(self._carried_out(key, command))

    async def _carried_out(self, key: Key, command: BackoffCommand) -> None:
        try:
            async with self._slots:
                await self._send(command)
        except Exception as error:  # noqa: BLE001 - whatever it is, the wish stands and is tried again
            BACKOFF_COMMANDS.labels("failed").inc()
            why = f"the pace of {command.project} could not be set: {error}".splitlines()[0]
            log.warning("pace could not be set; trying again", site=command.site, project=command.project, why=why)
            self._on_health(why)
            await self._stop.sleep(RETRY_SECONDS)
        else:
            BACKOFF_COMMANDS.labels("done").inc()
            log.info("pace set", site=command.site, project=command.project, command=type(command).__name__)
            self._answered[key] = command.command_id
            self._on_health(None)
            self._on_done()
        finally:
            del self._busy[key]
        if not self._stop.is_set() and key in self._states:
            self._begin(key, self._states[key])
