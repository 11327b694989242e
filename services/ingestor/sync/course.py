"""How a run begins and ends: its plan comes from the event log, and its end goes there. Jira is not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from libs.events import (
    UNASKED,
    Append,
    Change,
    EntityWatermark,
    Event,
    SyncCancelled,
    SyncMode,
    SyncStarted,
    SyncSucceeded,
    end_key,
)
from libs.temporal.messages import BeginSync, CancelSync, CompleteSync, Counts, FailSync, SyncPlan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.failures import failed_event
from services.ingestor.project_of import project_of
from services.ingestor.sync.absences.turns import turn
from services.ingestor.sync.lateness.measuring import Lateness, lateness_of, overlap
from services.ingestor.sync.lateness.remembered import kept, measured_on
from services.ingestor.sync.plan import (
    ENTITIES,
    RETRIES_PER_RUN,
    Owed,
    PendingRequest,
    Watermarks,
    advance,
    looks_back,
    plan_sync,
)
from services.ingestor.sync.records.drift import decode_error
from services.ingestor.sync.records.quarantine import Nameless, debt_of, nameless_debt, not_met_again, released
from services.ingestor.sync.step import drift_event, envelope, origin_of

TOLD = 5
"""Records that are set aside and named when a run ends."""


def begin_key(run_id: str) -> str:
    """Under which the beginning of a run is stored, with its plan."""
    return f"begin:{run_id}"


async def begun(log: EventLog, message: BeginSync) -> Append:
    """The plan of a run, and the event that it started."""
    names, now = CheckpointNames(project_of(message)), datetime.now(UTC)
    requests = [
        msgspec.json.decode(raw, type=PendingRequest) for raw in (await log.checkpoints(names.requests)).values()
    ]
    owed = await _owed(log, names, now, asked=bool(requests))
    tracked = msgspec.json.decode(await log.checkpoint(names.tracked) or b"[]", type=tuple[str, ...])
    watermarks = await _watermarks(log, names)
    in_turn = await _in_turn(log, message, names) if looks_back(watermarks, now) else ()
    plan = plan_sync(watermarks, requests, owed, now, tracked, in_turn)
    event = SyncStarted(
        **envelope(message, now),
        run_id=message.run_id,
        workflow_id=message.workflow_id,
        mode=_mode(full=plan.full),
        reason="; ".join(request.reason for request in requests if request.reason) or UNASKED,
        since=plan.since,
        request_ids=plan.request_ids,
    )
    return Append(
        changes=[Change(event=event)],
        # A run that was terminated left its scan behind; of one project, one run is made at a time.
        forget=[f"{names.scans}*"],
        outcome=msgspec.json.encode(plan),
    )


class Late(NamedTuple):
    """How late Jira's search has served changes."""

    run: Lateness
    """Those that this run has met."""
    overlap: timedelta
    """How far the watermark stays behind, by all that was measured on the site."""
    checkpoints: Mapping[str, bytes]


class Completed(NamedTuple):
    """The end of a run that succeeded."""

    append: Append
    """The event, with the watermarks moved."""
    counts: Counts
    late: Late


async def completed(log: EventLog, message: CompleteSync, *, told: bool = True) -> Completed:
    """The end of a run that succeeded, and what it has counted.

    `told`: that it began stands in the log; otherwise its end says so.
    """
    names, now = CheckpointNames(project_of(message)), datetime.now(UTC)
    previous = await _watermarks(log, names)
    late = await _late(log, names, message, now)
    watermarks = advance(previous, message.plan, message.scan.scan_started_at, late.overlap)
    counts = message.counts
    if message.plan.full:
        # A full run meets its users in the payloads instead of reading them as references.
        counts = msgspec.structs.replace(counts, users=len(await log.checkpoints(names.users)))
    aside = await _aside(log, names, message)
    event = SyncSucceeded(
        **envelope(message, now),
        run_id=message.run_id,
        mode=_mode(full=message.plan.full),
        **msgspec.structs.asdict(counts),
        seconds=(now - message.plan.started_at).total_seconds(),
        warnings=message.warnings,
        entities=_entities(counts, watermarks or previous, message.scan.scan_started_at),
        quarantined=aside.records,
        quarantine=aside.told,
        late=late.run.number,
        latest_seconds=late.run.latest,
        overlap_seconds=late.overlap.total_seconds(),
        began_at=None if told else message.plan.started_at,
    )
    records = (record for debt in aside.found.values() for record in debt.records)
    end = Append(
        changes=[*released(origin_of(message), records), Change(event=event)],
        checkpoints={
            **({names.watermarks: msgspec.json.encode(watermarks)} if watermarks else {}),
            **late.checkpoints,
            **({names.reread: message.plan.reread_issue_ids[-1].encode()} if message.plan.reread_issue_ids else {}),
        },
        # A request is served by a run that succeeded; after a failure the next run takes it up again.
        forget=[
            f"{names.scan(message.run_id)}*",
            f"{names.decode_errors}*",
            *aside.found,
            *(f"{names.requests}{request}" for request in message.plan.request_ids),
        ],
        idempotency_key=end_key(message.run_id),
    )
    return Completed(end, counts, late)


async def failed(log: EventLog, message: FailSync) -> Append:
    """The event that a run failed, and why. Watermarks stay where they are; pages that were stored stay stored."""
    now, message = datetime.now(UTC), await _with_plan(log, message)
    event = failed_event(
        message.failure,
        **envelope(message, now),
        run_id=message.run_id,
        mode=None if message.full is None else _mode(full=message.full),
        pages_recorded=await _pages_stored(log, message),
        seconds=(now - message.started_at).total_seconds() if message.started_at else 0.0,
    )
    seen = event.evidence
    if seen.path is None:
        return _end(message, [event])
    reported = f"{CheckpointNames(project_of(message)).decode_errors}{seen.path}"
    if await log.checkpoint(reported) is not None:
        return _end(message, [event])
    drift = decode_error(seen.path, seen.endpoint or "", seen.excerpt or "")
    return _end(message, [drift_event(message, drift, now), event], {reported: b""})


async def _with_plan(log: EventLog, message: FailSync) -> FailSync:
    """The first step of a run may fail after it has stored the plan: then the log alone knows what was planned."""
    stored = await log.outcome(begin_key(message.run_id)) if message.started_at is None else None
    if stored is None:
        return message
    plan = msgspec.json.decode(stored, type=SyncPlan)
    return msgspec.structs.replace(message, full=plan.full, started_at=plan.started_at)


async def cancelled(log: EventLog, message: CancelSync) -> Append:
    """The event that a run was cancelled, which is nobody's failure."""
    event = SyncCancelled(
        **envelope(message, datetime.now(UTC)),
        run_id=message.run_id,
        reason="cancelled in Temporal",
        pages_recorded=await _pages_stored(log, message),
    )
    return _end(message, [event])


async def _owed(log: EventLog, names: CheckpointNames, now: datetime, *, asked: bool) -> Owed:
    """What to read again, that which waits longest first, so that more than fit one run take turns.

    Args:
        log: holds what is owed.
        names: of the project's checkpoints.
        now: what is not due by now waits.
        asked: somebody asked for the run: everything is due.
    """
    issues = {name: debt_of(stored) for name, stored in (await log.checkpoints(names.unfinished)).items()}
    nameless = [nameless_debt(stored) for stored in (await log.checkpoints(names.nameless)).values()]
    due = [name for name, debt in issues.items() if asked or debt.due <= now]
    return Owed(
        [name.removeprefix(names.unfinished) for name in sorted(due, key=lambda name: (issues[name].tried, name))],
        [debt.bound for debt in nameless if asked or debt.due <= now],
    )


class _Aside(NamedTuple):
    """What is set aside when a run ends."""

    records: int
    told: tuple[str, ...]
    """The first of those that people should know of."""
    found: Mapping[str, Nameless]
    """Nameless issues that were not met again: by their checkpoints."""


async def _aside(log: EventLog, names: CheckpointNames, message: CompleteSync) -> _Aside:
    nameless = await log.checkpoints(names.nameless)
    limited = bool(message.plan.account_ids)
    found = {} if limited else not_met_again(nameless, message.run_id, message.plan.since)
    stored = await log.checkpoints(names.unfinished) | await log.checkpoints(names.sick) | nameless
    debts = [debt_of(debt) for name, debt in sorted(stored.items()) if name not in found]
    told = [line for debt in debts if debt.told for line in debt.records.values()]
    return _Aside(sum(len(debt.records) for debt in debts), tuple(told[:TOLD]), found)


async def _late(log: EventLog, names: CheckpointNames, message: CompleteSync, now: datetime) -> Late:
    pages = await log.checkpoints(names.late(message.run_id))
    run = sum(map(lateness_of, pages.values()), Lateness())
    before = await measured_on(log, message.site, now)
    after, stored = kept(message.site, message.project, before, run, now)
    return Late(run, overlap(after.site), stored)


async def _in_turn(log: EventLog, message: BeginSync, names: CheckpointNames) -> tuple[str, ...]:
    last = await log.checkpoint(names.reread)
    present = await log.present(message.site, message.project)
    return turn(present, last.decode() if last else None, RETRIES_PER_RUN)


async def _watermarks(log: EventLog, names: CheckpointNames) -> Watermarks | None:
    stored = await log.checkpoint(names.watermarks)
    return msgspec.json.decode(stored, type=Watermarks) if stored else None


def _mode(*, full: bool) -> SyncMode:
    return SyncMode.FULL if full else SyncMode.INCREMENTAL


def _entities(counts: Counts, reached: Watermarks | None, started_at: datetime) -> tuple[EntityWatermark, ...]:
    seen = (counts.issues, counts.comments, counts.worklogs, counts.sprints, counts.users)
    return tuple(
        EntityWatermark(entity=entity, watermark=getattr(reached, entity) if reached else started_at, seen=number)
        for entity, number in zip(ENTITIES, seen, strict=True)
    )


async def _pages_stored(log: EventLog, message: FailSync | CancelSync) -> int:
    """The pages that are in the log: the workflow does not hear of one that was stored while it gave up."""
    stored = await log.checkpoints(CheckpointNames(project_of(message)).stored(message.run_id))
    return max(len(stored), message.pages_recorded)


def _end(message: FailSync | CancelSync, events: Iterable[Event], checkpoints: Mapping[str, bytes] = {}) -> Append:
    return Append(
        changes=[Change(event=event) for event in events],
        checkpoints=checkpoints,
        forget=[f"{CheckpointNames(project_of(message)).scan(message.run_id)}*"],
        idempotency_key=end_key(message.run_id),
    )
