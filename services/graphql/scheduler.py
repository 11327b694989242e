"""The way to Temporal: connects on the first use, so that reading never waits for it."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from libs.temporal.commands import request_sync
from libs.temporal.connect import connect

REACH_SECONDS: Final = 3.0
"""How long Temporal may take to answer at all."""

ANSWER_SECONDS: Final = 15.0
"""How long the ingestor may take; the request itself waits longer, in Temporal."""


class SchedulerUnavailableError(RuntimeError):
    """Temporal does not answer; nothing was asked for."""


class NoAnswerError(RuntimeError):
    """Temporal took the request, the ingestor has not answered yet; `request_id` names it."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"Temporal keeps the request {request_id}, but the ingestor has not taken it within {ANSWER_SECONDS:g} s."
            " Is it running? It takes the request when it is back within a minute; else ask again."
        )
        self.request_id = request_id


class Scheduler:
    """Asks the ingestor for syncs by way of Temporal."""

    def __init__(self, address: str, namespace: str) -> None:
        self._address, self._namespace = address, namespace
        self._client: Client | None = None

    async def request_sync(self, site: str, project: str, *, full: bool, account_ids: Sequence[str]) -> str:
        """Ask for a sync now; returns the id of the request.

        Raises:
            SchedulerUnavailableError: Temporal does not answer.
            NoAnswerError: the ingestor does not.
            UnknownProjectError: the project is not registered.
            CommandFailedError: the ingestor refused.
        """
        client = await self._reached()
        request_id = uuid.uuid4().hex
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await request_sync(
                    client,
                    site=site,
                    project=project,
                    full=full,
                    account_ids=account_ids,
                    actor="graphql",
                    request_id=request_id,
                )
        except TimeoutError as error:
            raise NoAnswerError(request_id) from error
        except RPCError as error:
            raise self._unavailable(error) from error

    async def _reached(self) -> Client:
        """The client, once Temporal has answered it."""
        try:
            async with asyncio.timeout(REACH_SECONDS):
                if self._client is None:
                    self._client = await connect(self._address, self._namespace)
                await self._client.service_client.check_health(timeout=timedelta(seconds=REACH_SECONDS))
        except (RPCError, RuntimeError, OSError) as error:  # TimeoutError is an OSError
            raise self._unavailable(error) from error
        return self._client

    def _unavailable(self, error: Exception) -> SchedulerUnavailableError:
        return SchedulerUnavailableError(
            f"Temporal at {self._address} does not answer ({type(error).__name__}), so no sync was asked for."
            " Reading goes on. Start Temporal, or correct TEMPORAL_ADDRESS, and ask again."
        )
