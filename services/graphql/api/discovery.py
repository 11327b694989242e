"""What there is to choose from in Jira, asked live by way of the ingestor and remembered for a moment.

A person who types into a search box asks the same again and again; Jira's limits are shared with the syncs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from libs.temporal.messages import AnyQuestion, Options
from services.graphql.api.ingestor import Ingestor

REMEMBERED_SECONDS: Final = 30.0
MAX_REMEMBERED: Final = 500


class Discovery:
    """Answers of Jira, each asked once within half a minute however many ask at the same time."""

    def __init__(self, ingestor: Ingestor, clock: Callable[[], float] = time.monotonic) -> None:
        self._ingestor, self._clock = ingestor, clock
        self._answers: dict[AnyQuestion, tuple[float, asyncio.Task[Options]]] = {}

    async def ask(self, question: AnyQuestion) -> Options:
        """The answer to a question; errors as `Ingestor.ask`, and they are not remembered."""
        now = self._clock()
        asked_at, task = self._answers.get(question, (0.0, None))
        if task is None or now - asked_at > REMEMBERED_SECONDS or _failed(task):
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
