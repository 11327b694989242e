"""Ask for syncs by way of Temporal. The connection is made when it is first needed: reads never depend on it."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from libs.temporal.commands import CommandFailedError, request_sync
from libs.temporal.connect import connect

ANSWER_SECONDS: Final = 10.0
"""How long a caller waits for the ingestor to take a request; it takes milliseconds when all is well."""

log = structlog.get_logger(__name__)


class SchedulerUnavailableError(RuntimeError):
    """Temporal or the ingestor does not answer; the text says which."""


class Scheduler:
    """The commands of one site."""

    def __init__(self, address: str, namespace: str, site: str) -> None:
        self._address, self._namespace, self._site = address, namespace, site
        self._client: Client | None = None

    async def request_sync(self, project: str, *, full: bool, account_ids: Sequence[str], actor: str) -> str:
        """Have a sync requested and recorded; gives the request's id, which `SyncStarted` will name.

        Raises:
            SchedulerUnavailableError: nobody took the request in time.
            UnknownProjectError: the ingestor does not know the project.
            CommandFailedError: the ingestor refused.
        """
        request_id = uuid.uuid4().hex
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await request_sync(
                    await self._connected(),
                    site=self._site,
                    project=project,
                    full=full,
                    account_ids=tuple(account_ids),
                    actor=actor,
                    request_id=request_id,
                )
        except TimeoutError as error:
            log.warning("no answer to a command", request_id=request_id, seconds=ANSWER_SECONDS)
            raise SchedulerUnavailableError(
                f"Nobody took request {request_id} within {ANSWER_SECONDS:g} s. It may still be carried out."
            ) from error
        except CommandFailedError:
            raise
        except (RPCError, RuntimeError) as error:
            log.warning("Temporal is unreachable", address=self._address, error=str(error))
            raise SchedulerUnavailableError("Temporal, which runs the syncs, cannot be reached.") from error

    async def _connected(self) -> Client:
        if self._client is None:
            self._client = await connect(self._address, self._namespace)
        return self._client
