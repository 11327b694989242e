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

from libs.events import StoreError, StoreVersionError
from libs.temporal.access import Access, ConnectError
from libs.temporal.commands import (
    FORGED_COMMAND,
    CommandFailedError,
    CommandRefusedError,
    Sender,
    ask_jira,
    carry_out,
    open_gate,
    take_up_hints,
)
from libs.temporal.connect import connect
from libs.temporal.messages import AnyCommand, AnyQuestion, Done, FindClosings, OpenGate, Options

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


class KeyUnavailableError(RuntimeError):
    """The event log does not answer; nothing was asked for."""

    code = "LOG_UNAVAILABLE"

    def __init__(self, why: Exception) -> None:
        super().__init__(
            f"The event log does not answer ({str(why) or type(why).__name__}), so the command could not be signed and"
            " nothing was changed. Ask again when it does."
        )


NOT_DONE: Final = (TemporalUnavailableError, KeyUnavailableError, NoAnswerError, CommandFailedError)
"""What a command or a question may end with instead of an answer; each has a `code`."""


class Ingestor:
    """Hands commands and questions to the ingestor, by way of Temporal, and looks at schedules."""

    def __init__(
        self, address: str, namespace: str, read_key: Callable[[], bytes], access: Access | None = None
    ) -> None:
        """It connects to nothing by itself.

        Args:
            address: of Temporal.
            namespace: in it.
            read_key: reads the key by which commands are proved, at the first command; blocks, and raises.
            access: how we show ourselves to Temporal.
        """
        self._address, self._namespace, self._access = address, namespace, access
        self._read_key = read_key
        self._client: Client | None = None
        self._key: bytes | None = None

    async def carry_out(self, command: AnyCommand) -> Done:
        """Have a command carried out.

        Raises:
            TemporalUnavailableError: Temporal does not answer.
            KeyUnavailableError: the event log does not.
            NoAnswerError: the ingestor does not.
            CommandRefusedError: it cannot be done as it stands.
            JiraRefusedError: it needs something of Jira, which refused.
            CommandFailedError: the ingestor failed.
        """
        try:
            return await self._answered(carry_out(await self._sender(), command))
        except CommandRefusedError as error:
            if error.code == FORGED_COMMAND:
                self._key = None  # the log was restored from another one's backup since we read the key
            raise

    async def ask(self, question: AnyQuestion) -> Options:
        """Ask Jira by way of the ingestor.

        Raises:
            TemporalUnavailableError, KeyUnavailableError, NoAnswerError, JiraRefusedError, CommandFailedError: as for a
                command.
        """
        if isinstance(question, OpenGate):
            return await self._answered(open_gate(await self._sender(), question))
        return await self._answered(ask_jira(await self._reached(), question))

    async def take_up_hints(self, site: str) -> None:
        """Say that hints were stored.

        Raises:
            TemporalUnavailableError: Temporal does not answer.
        """
        client = await self._reached()
        try:
            await take_up_hints(client, site)
        except RPCError as error:
            raise self._unavailable(error) from error

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

    async def _sender(self) -> Sender:
        client = await self._reached()
        if self._key is None:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    self._key = await asyncio.to_thread(self._read_key)
            except (StoreError, StoreVersionError, TimeoutError) as error:
                raise KeyUnavailableError(error) from error
        return Sender(client, self._key)

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
