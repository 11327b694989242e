"""How a census begins: what it does is decided from the event log, and Jira is not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from temporalio.exceptions import ApplicationError

from libs.events import NEVER_SYNCED, OVERTAKEN, Append
from libs.temporal.census import BeginCensus, CensusPlan, CensusStep
from services.ingestor.census.remembered import ACCEPTED_FOR, GOES_ON_FOR, CensusNames, Listing, PendingCensus
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.plan import PendingRequest


async def begun(log: EventLog, message: BeginCensus) -> Append:
    """The plan of a census.

    Raises:
        ApplicationError: the project was never synced.
    """
    names, now = CensusNames(project_of(message)), datetime.now(UTC)
    of_sync = CheckpointNames(project_of(message))
    if await log.checkpoint(of_sync.watermarks) is None:
        raise failed(
            NEVER_SYNCED,
            f"Project {message.project} was never synced to its end, so there is nothing yet to compare.",
            "Nothing to do: the first sync that succeeds reads all its issues, and the next census compares them.",
        )
    requests = [
        msgspec.json.decode(stored, type=PendingCensus) for stored in (await log.checkpoints(names.requests)).values()
    ]
    tracked = msgspec.json.decode(await log.checkpoint(of_sync.tracked) or b"[]", type=tuple[str, ...])
    accepting = _accepting(requests, now)
    plan = CensusPlan(
        started_at=now,
        tracked=tracked,
        request_ids=tuple(request.request_id for request in requests),
        accept=accepting.accept if accepting else 0,
        accepted_by=accepting.actor if accepting else "",
        leave_to_sync=await full_sync_is_due(log, of_sync),
    )
    taken_over = _gone_on_with(await log.checkpoints(names.runs), names, plan, requests)
    return Append(
        # Of one project, one census is taken at a time: one that is still at it ends.
        forget=[f"{names.runs}*"],
        checkpoints={names.run(message.run_id): b"", **_renamed(taken_over, names, message.run_id)},
        outcome=msgspec.json.encode(plan),
    )


def failed(code: str, message: str, advice: str) -> ApplicationError:
    """The end of a census that proves nothing, for a reason of ours."""
    failure = {"code": code, "message": message, "advice": advice}
    return ApplicationError(message, failure, type=code, non_retryable=True)


async def check_still_valid(log: EventLog, message: CensusStep) -> None:
    """Nothing, while the census may go on.

    Raises:
        ApplicationError: another one has begun since, or what is to be compared has changed.
    """
    project = project_of(message)
    if await log.checkpoint(CensusNames(project).run(message.run_id)) is None:
        raise failed(
            OVERTAKEN,
            f"Another census of project {message.project} has begun, or the project was unregistered.",
            "Nothing to do: what the other one finds counts.",
        )
    tracked = msgspec.json.decode(await log.checkpoint(CheckpointNames(project).tracked) or b"[]", type=tuple[str, ...])
    if set(tracked) != set(message.plan.tracked):
        raise failed(
            OVERTAKEN,
            f"The watch list of project {message.project} has changed since the census began.",
            "Nothing to do: the sync brings what the new list asks for, and the next census compares with it.",
        )


async def full_sync_is_due(log: EventLog, names: CheckpointNames) -> bool:
    """Whether a sync of all issues was asked for and has not ended."""
    requests = (await log.checkpoints(names.requests)).values()
    return any(msgspec.json.decode(stored, type=PendingRequest).full for stored in requests)


def _accepting(requests: Iterable[PendingCensus], now: datetime) -> PendingCensus | None:
    """The request that lets most go."""
    valid = [request for request in requests if request.accept and now - request.asked_at < ACCEPTED_FOR]
    return max(valid, key=lambda request: request.accept, default=None)


class _TakenOver(NamedTuple):
    """What an interrupted census has left."""

    run_id: str
    stored: Mapping[str, bytes]


def _gone_on_with(
    stored: Mapping[str, bytes], names: CensusNames, plan: CensusPlan, requests: Iterable[PendingCensus]
) -> _TakenOver | None:
    """The list that an interrupted census has begun; None where it is too old, or older than a request."""
    for name, value in stored.items():
        run_id, _, rest = name.removeprefix(names.runs).partition("/")
        if rest != "listing":
            continue
        listing = msgspec.json.decode(value, type=Listing)
        young = plan.started_at - listing.started_at < GOES_ON_FOR
        asked_later = any(request.asked_at > listing.started_at for request in requests)
        if young and not asked_later and listing.tracked == plan.tracked:
            listed = {page: ids for page, ids in stored.items() if page.startswith(names.listed(run_id))}
            return _TakenOver(run_id, {name: value, **listed})
    return None


def _renamed(taken_over: _TakenOver | None, names: CensusNames, run_id: str) -> dict[str, bytes]:
    if taken_over is None:
        return {}
    before, now = names.run(taken_over.run_id), names.run(run_id)
    return {now + name.removeprefix(before): value for name, value in taken_over.stored.items()}
