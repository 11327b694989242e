"""The way to the ingestor, by Temporal: connects on the first use, so that reading never waits for it.

What there is to choose from in Jira is asked live by this way, and remembered for a moment: a person who types into a
search box asks the same again and again, and Jira's limits are shared with the syncs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from libs.temporal.access import Access, ConnectError
from libs.temporal.commands import CommandFailedError, ask_jira, carry_out
from libs.temporal.connect import connect
from libs.temporal.messages import AnyCommand, AnyQuestion, Done, FindClosings, Options

REACH_SECONDS: Final = 3.0
"""How long Temporal may take to answer at all."""

ANSWER_SECONDS: Final = 30.0
"""How long the ingestor may take, also when one dies at the command and another takes it up on a busy machine. The
command itself waits longer, in Temporal."""

REMEMBERED_SECONDS: Final = 30.0
MAX_REMEMBERED: Final = 500

T = TypeVar("T")


class TemporalUnavailableError(RuntimeError):
    """Temporal does not answer; nothing was asked for."""

    code = "SCHEDULER_UNAVAILABLE"


class NoAnswerError(RuntimeError):
    """Temporal took the command, the ingestor has not answered yet."""

    code = "NO_ANSWER"

    def __init__(self) -> None:
        super().__init__(
            f"Temporal keeps the command, but the ingestor has not carried it out within {ANSWER_SECONDS:g} s. Is it"
            " running? It takes the command when it is back within a minute; else give it again."
        )


NOT_DONE: Final = (TemporalUnavailableError, NoAnswerError, CommandFailedError)
"""What a command or a question may end with instead of an answer; each has a `code`."""


class Ingestor:
    """Hands commands and questions to the ingestor, by way of Temporal, and looks at schedules."""

    def __init__(self, address: str, namespace: str, access: Access | None = None) -> None:
        self._address, self._namespace, self._access = address, namespace, access
        self._client: Client | None = None

    async def carry_out(self, command: AnyCommand) -> Done:
        """Have a command carried out.

        Raises:
            TemporalUnavailableError: Temporal does not answer.
            NoAnswerError: the ingestor does not.
            CommandRefusedError: it cannot be done as it stands.
            JiraRefusedError: it needs something of Jira, which refused.
            CommandFailedError: the ingestor failed.
        """
        return await self._answered(carry_out(await self._reached(), command))

    async def ask(self, question: AnyQuestion) -> Options:
        """Ask Jira by way of the ingestor.

        Raises:
            TemporalUnavailableError, NoAnswerError, JiraRefusedError, CommandFailedError: as for a command.
        """
        return await self._answered(ask_jira(await self._reached(), question))

    async def upcoming_runs(self, schedule_id: str, count: int) -> list[datetime]:
        """The next runs as Temporal has them; none when the schedule is paused or gone.

        Raises:
            TemporalUnavailableError: Temporal does not answer.
        """
        client = await self._reached()
        try:
            description = await client.get_schedule_handle(schedule_id).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return []
            raise self._unavailable(error) from error
        if description.schedule.state.paused:
            return []
        return [moment.astimezone(UTC) for moment in description.info.next_action_times[:count]]

    async def _answered(self, answer: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError as error:
            raise NoAnswerError from error
        except RPCError as error:
            raise self._unavailable(error) from error

    async def _reached(self) -> Client:
        """The client, once Temporal has answered it."""
        try:
            async with asyncio.timeout(REACH_SECONDS):
                if self._client is None:
                    self._client = await connect(self._address, self._namespace, access=self._access)
                await self._client.service_client.check_health(timeout=timedelta(seconds=REACH_SECONDS))
        except (RPCError, RuntimeError, OSError) as error:  # TimeoutError is an OSError
            raise self._unavailable(error) from error
        return self._client

    def _unavailable(self, error: Exception) -> TemporalUnavailableError:
        reason = str(error) if isinstance(error, ConnectError) else f"Temporal at {self._address} does not answer"
        return TemporalUnavailableError(
            f"{reason} ({type(error).__name__}), so nothing was changed."
            " Reading goes on. Start Temporal, or correct TEMPORAL_ADDRESS, and ask again."
        )


class Discovery:
    """Answers of Jira, each asked once within half a minute however many ask at the same time.

    What is closed opens and closes by itself: that is asked once by those who ask at the same time.
    """

    def __init__(self, ingestor: Ingestor, clock: Callable[[], float] = time.monotonic) -> None:
        self._ingestor, self._clock = ingestor, clock
        self._answers: dict[AnyQuestion, tuple[float, asyncio.Task[Options]]] = {}

    async def ask(self, question: AnyQuestion) -> Options:
        """The answer to a question; errors as `Ingestor.ask`, and they are not remembered."""
        now = self._clock()
        asked_at, task = self._answers.get(question, (0.0, None))
        remembered = 0.0 if isinstance(question, FindClosings) else REMEMBERED_SECONDS
        if task is None or _failed(task) or (task.done() and now - asked_at > remembered):
            self._forget(now)
            task = asyncio.create_task(self._ingestor.ask(question))
            self._answers[question] = (now, task)
        # One who gives up must not take the answer from the others who wait for it.
        return await asyncio.shield(task)

    def _forget(self, now: float) -> None:
        old = [question for question, (at, _) in self._answers.items() if now - at > REMEMBERED_SECONDS]
        surplus = len(self._answers) - len(old) - MAX_REMEMBERED
        for question in [*old, *list(self._answers)[: max(surplus, 0)]]:
            self._answers.pop(question, None)


def _failed(task: asyncio.Task[Options]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
