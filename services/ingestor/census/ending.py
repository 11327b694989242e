"""How a census ends: what may go goes, and what was proved is said. Or it failed, and says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from libs.events import (
    AbsenceReason,
    Append,
    CensusCompleted,
    CensusEvent,
    CensusFailed,
    Change,
    DifferenceCause,
    EntityProof,
    Envelope,
    GoneCount,
    JiraIssueFetched,
    ProjectKey,
    census_end_key,
)
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.census import CensusResult, CompleteCensus, FailCensus, Standing
from libs.temporal.messages import SyncStep
from services.ingestor.census.compare import pages
from services.ingestor.census.differences import (
    CHILDREN,
    cause_of_lacking,
    children_proof,
    issues_proof,
    restricted_of,
)
from services.ingestor.census.missing import confirm, judging
from services.ingestor.census.missing.confirm import known_of
from services.ingestor.census.missing.judging import Found, Judged, found_by
from services.ingestor.census.missing.verdicts import Finding
from services.ingestor.census.remembered import CensusNames, PendingCensus
from services.ingestor.checkpoints import CheckpointNames, told_deleted_checkpoints
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.records.absence import issue_gone
from services.ingestor.sync.records.quarantine import Debt, debt_of

AT_ONCE = 500
"""Issues that are marked in one transaction."""


async def completed(
    jira: JiraClient, log: EventLog, message: CompleteCensus, requests: RequestCount, share: float
) -> Append:
    """What a census comes to. What may go is appended at once; the event is left to append."""
    project = project_of(message)
    found = await found_by(log, project, message.run_id)
    judged = await judging.judged(jira, log, message, found, share)
    if judged.brake is None and (judged.going or judged.settled):
        # The token may have died since the census began, and everything would look gone.
        await jira.verify_credentials()
        await _let_go(log, message, found, judged)
    end = await _described(jira, log, message, found, judged)
    sent = message.requests + requests.sent
    event = CensusCompleted(
        **_envelope(message, datetime.now(UTC)),
        run_id=message.run_id,
        entities=end.entities,
        counted=message.survey.counted,
        gone=end.gone,
        returned=end.returned,
        fetched=end.fetched,
        held_back=judged.held_back,
        brake=judged.brake.why if judged.brake else "",
        accepted_by=message.plan.accepted_by if judged.accepted else "",
        requests=sent,
        seconds=(datetime.now(UTC) - message.plan.started_at).total_seconds(),
    )
    result = CensusResult(
        gone=sum(one.number for one in end.gone),
        fetched=end.fetched,
        returned=end.returned,
        held_back=judged.held_back,
        brake=event.brake,
        requests=sent,
    )
    names = CensusNames(project)
    return Append(
        changes=[Change(event=event)],
        checkpoints={names.last: msgspec.json.encode(judged.last)},
        forget=[
            f"{names.runs}*",
            *(f"{names.requests}{request}" for request in message.plan.request_ids),
            *([] if judged.held else [CheckpointNames(project).went_back]),
            *([] if judged.held else await _notes(log, project)),
        ],
        outcome=msgspec.json.encode(result),
    )


async def _notes(log: EventLog, project: ProjectKey) -> list[str]:
    """That issues of the project were told to be deleted: the census has heard it."""
    prefix = told_deleted_checkpoints(project.site)
    noted = {name.removeprefix(prefix): name for name in await log.checkpoints(prefix)}
    held = await log.inventory_of(project.site, noted)
    return [name for issue, name in noted.items() if issue not in held or held[issue].project == project.key]


async def failed(log: EventLog, message: FailCensus) -> Append:
    """The event that a census failed. What was listed stays for the next one."""
    now, names = datetime.now(UTC), CensusNames(project_of(message))
    event = CensusFailed(
        **_envelope(message, now),
        run_id=message.run_id,
        code=str(message.failure["code"]),
        message=str(message.failure["message"]),
        advice=str(message.failure["advice"]),
        requests=message.requests,
        seconds=(now - message.started_at).total_seconds() if message.started_at else 0.0,
    )
    served = message.started_at.astimezone(UTC) if message.started_at else now
    return Append(
        changes=[Change(event=event)],
        # Whoever asked for it is told by the event; a person's word that so much may go must not wait for a later one.
        forget=[name for name, asked in (await _requests(log, names)).items() if asked <= served],
        idempotency_key=census_end_key(message.run_id),
    )


async def _let_go(log: EventLog, message: CompleteCensus, found: Found, judged: Judged) -> None:
    """Append why the issues are gone. What was seen of one since it was asked about counts more."""
    project = project_of(message)
    answers = {one.id: one for one in found.answers}
    reasons, doubtful = {**judged.settled, **judged.going}, {*judged.last.doubt.ids}
    keys = {issue: one.key for issue, one in (await known_of(log, project, list(judged.settled))).items()}
    keys |= {issue: one.known_key for issue, one in answers.items()}
    for part in pages(list(reasons), AT_ONCE):
        streams = {issue: JiraIssueFetched.stream_of(project.site, issue) for issue in part}
        heads = await log.heads(list(streams.values()))
        now = datetime.now(UTC)
        changes = [
            issue_gone(
                project,
                issue,
                reasons[issue],
                heads[stream],
                asked_at=answers[issue].asked_at if issue in answers else message.plan.started_at,
                now=now,
                cause=message.run_id,
                key=answers[issue].key if reasons[issue] is AbsenceReason.MOVED else "",
                former_key=keys[issue],
                doubtful=issue in doubtful,
            )
            for issue, stream in streams.items()
            if stream in heads
        ]
        await log.append(Append(changes=changes))


class _End(NamedTuple):
    entities: tuple[EntityProof, ...]
    gone: tuple[GoneCount, ...]
    returned: int
    fetched: int


async def _described(jira: JiraClient, log: EventLog, message: CompleteCensus, found: Found, judged: Judged) -> _End:
    """How both sides compare now."""
    project, comparison = project_of(message), message.comparison
    names = CheckpointNames(project)
    moved = found.with_finding(Finding.REGISTERED)
    held = await log.inventory_of(project.site, [*found.lacking, *judged.going, *moved])
    here = {issue for issue, one in held.items() if one.project == project.key and not one.absent}
    gone = Counter(
        str(reason) for issue, reason in judged.going.items() if issue in held and held[issue].absent == reason
    )
    debts = await _debts(log, names.unfinished)
    lack = await _still_lacking(jira, log, message, found, here)
    causes = {
        issue: cause_of_lacking(debts.get(issue), left_to_sync=comparison.left_to_sync or issue in lack.silent)
        for issue in lack.real
    }
    causes |= dict.fromkeys(found.with_finding(Finding.HERE), DifferenceCause.LATE)
    causes |= dict.fromkeys(found.with_finding(Finding.SILENT), DifferenceCause.OWED)
    causes |= dict.fromkeys((issue for issue in moved if issue in here), DifferenceCause.OWED)
    causes |= dict.fromkeys(judged.held, DifferenceCause.HELD_BACK)
    listed = comparison.listed + comparison.nameless + comparison.seen_since - lack.ghosts
    in_jira = listed if message.survey.standing is Standing.SHOWN else None
    totals = await log.totals(*project)
    issues = issues_proof(in_jira, totals.issues, causes, comparison.nameless)
    back = [issue for issue in found.lacking if issue in here]
    returned = sum(issue in found.gone_before for issue in back)
    return _End(
        entities=(
            issues,
            *await _children(log, project, {"comment": totals.comments, "worklog": totals.worklogs}, debts),
        ),
        gone=tuple(GoneCount(reason=reason, number=number) for reason, number in sorted(gone.items())),
        returned=returned,
        fetched=len(back) - returned,
    )


async def _children(
    log: EventLog, project: ProjectKey, here: Mapping[str, int], debts: Mapping[str, Debt]
) -> list[EntityProof]:
    prefix = _restricted(project)
    restricted = {
        name.removeprefix(prefix): restricted_of(stored) for name, stored in (await log.checkpoints(prefix)).items()
    }
    held = await log.inventory_of(project.site, list(restricted))
    shown = {issue: counts for issue, counts in restricted.items() if issue in held and not held[issue].absent}
    return [children_proof(kind, here[kind], debts, shown) for kind in CHILDREN]


class _Lack(NamedTuple):
    """Issues that Jira lists and that are still not here."""

    real: Sequence[str]
    silent: Sequence[str]
    """Those of them of which Jira says nothing."""
    ghosts: int
    """Issues that are only on its list: they were deleted, hidden or moved, and its index is late."""


async def _still_lacking(
    jira: JiraClient, log: EventLog, message: CompleteCensus, found: Found, here: Collection[str]
) -> _Lack:
    shown_as = {name for one in found.answers if one.finding is Finding.HERE for name in (one.key, one.id)}
    lacking = [issue for issue in found.lacking if issue not in here and issue not in shown_as]
    if message.comparison.left_to_sync or not lacking:
        return _Lack(lacking, (), 0)
    answers = await confirm.asked(jira, log, message, lacking)
    real = [one.id for one in answers if one.finding in (Finding.HERE, Finding.SILENT)]
    silent = [one.id for one in answers if one.finding is Finding.SILENT]
    missed = {one.id for one in found.answers}
    return _Lack(
        real, silent, sum(issue not in missed for issue in lacking) - sum(issue not in missed for issue in real)
    )


async def _debts(log: EventLog, prefix: str) -> dict[str, Debt]:
    return {name.removeprefix(prefix): debt_of(stored) for name, stored in (await log.checkpoints(prefix)).items()}


async def _requests(log: EventLog, names: CensusNames) -> dict[str, datetime]:
    return {
        name: msgspec.json.decode(stored, type=PendingCensus).asked_at
        for name, stored in (await log.checkpoints(names.requests)).items()
    }


def _restricted(project: ProjectKey) -> str:
    return f"{project.site}/{project.key}/restricted/"


def _envelope(message: SyncStep, now: datetime) -> Envelope:
    return CensusEvent.envelope(message.project, project_of(message), occurred_at=now, cause=message.run_id)
