"""How a census ends: what may go goes, and what was proved is said. Or it failed, and says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import Raw

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
)
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.census import CensusResult, CompleteCensus, FailCensus, Standing
from libs.temporal.messages import SyncStep
from services.ingestor.census import confirm
from services.ingestor.census.brake import Brake, Grounds, brake
from services.ingestor.census.compare import PAGE, in_order, pages
from services.ingestor.census.differences import (
    CHILDREN,
    cause_of_lacking,
    children_proof,
    issues_proof,
    restricted_of,
)
from services.ingestor.census.remembered import CensusNames, Last, PendingCensus, ids_in
from services.ingestor.census.survey import under_policy
from services.ingestor.census.verdicts import Answer, Finding, Hidden, reasons
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.records.absence import issue_gone
from services.ingestor.sync.records.odd import moment_of
from services.ingestor.sync.records.quarantine import Debt, debt_of
from services.ingestor.sync.step import ONE_SICK

AT_ONCE = 500
"""Issues that are marked in one transaction."""
LOOKED_THROUGH = 20_000
"""Issues, the newest ones, among which those are looked for that have changed last."""


class _Found(NamedTuple):
    """What the steps before have found."""

    answers: Sequence[Answer]
    lacking: Sequence[str]
    """Ids that Jira lists and we lacked."""
    unasked: Sequence[str]
    """Missing ids that were not asked about, because the project as a whole is in doubt or they are too many."""
    gone_before: Mapping[str, str]
    last: Last

    def with_finding(self, *findings: Finding) -> list[str]:
        return [one.id for one in self.answers if one.finding in findings]


async def completed(
    jira: JiraClient, log: EventLog, message: CompleteCensus, requests: RequestCount, share: float
) -> Append:
    """What a census comes to. What may go is appended at once; the event is left to append."""
    project = project_of(message)
    found = await _found(log, project, message.run_id)
    judged = await _judged(jira, log, message, found, share)
    if judged.brake is None and judged.going:
        # The token may have died since the census began, and everything would look gone.
        await jira.verify_credentials()
        await _let_go(log, message, found, judged.going)
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
        ],
        outcome=msgspec.json.encode(result),
    )


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
        idempotency_key=f"census-end:{message.run_id}",
    )


class _Judged(NamedTuple):
    """What is to become of the issues that seem gone."""

    going: Mapping[str, AbsenceReason]
    """Empty where nothing may go."""
    brake: Brake | None
    held: Sequence[str]
    accepted: bool
    last: Last

    @property
    def held_back(self) -> int:
        return len(self.held)


async def _judged(jira: JiraClient, log: EventLog, message: CompleteCensus, found: _Found, share: float) -> _Judged:
    project, survey, comparison = project_of(message), message.survey, message.comparison
    late = len(found.with_finding(Finding.HERE))
    surplus = _surplus(message, late)
    counts_hidden = bool(surplus) or found.last.counts_hidden
    hidden = Hidden(more=await _more_hidden(log, project, found, surplus) if counts_hidden else None)
    going = reasons(found.answers, survey.standing, hidden)
    standing = survey.standing
    if going and standing is Standing.SHOWN:
        standing = await under_policy(jira, survey.jira_id, standing)
        if standing is not Standing.SHOWN:
            going = reasons(found.answers, standing, hidden)
    candidates = len(going) + len(found.unasked)
    back = await _went_back(jira, log, project, message.run_id) if going and standing is Standing.SHOWN else 0
    listed = comparison.listed + comparison.nameless
    grounds = Grounds(
        standing=standing,
        counted=survey.counted,
        found=listed + late,
        listed=listed,
        here=comparison.here,
        going=candidates,
        back=back,
        kept=len(set(found.last.kept) & going.keys()),
        share=share,
        accepted=message.plan.accept,
    )
    stop = brake(grounds)
    if stop is None:
        accepted = brake(grounds._replace(accepted=0)) is not None
        last = Last(surplus=surplus, counts_hidden=counts_hidden, kept=_still_kept(found))
        return _Judged(going, None, (), accepted, last)
    held = in_order({*going, *found.unasked})
    kept = tuple(held) if stop.back else _still_kept(found, held)
    last = Last(held_back=len(held), surplus=found.last.surplus, counts_hidden=counts_hidden, kept=kept)
    return _Judged({}, stop, held, False, last)


def _still_kept(found: _Found, held: Sequence[str] = ()) -> tuple[str, ...]:
    """Those that go on waiting for a person since Jira went back in time: held back, or not spoken of this time."""
    waiting = {*held, *found.with_finding(Finding.SILENT)}
    return tuple(issue for issue in found.last.kept if issue in waiting)


def _surplus(message: CompleteCensus, late: int) -> int | None:
    """Issues that Jira counts in the project and does not show to our account."""
    survey, comparison = message.survey, message.comparison
    if survey.total is None:
        return None
    shown = survey.visible if message.plan.tracked else comparison.listed + comparison.nameless + late
    if shown is None:
        return None
    return max(survey.total - max(shown, 0 if message.plan.tracked else survey.counted or 0), 0)


async def _more_hidden(log: EventLog, project: ProjectKey, found: _Found, surplus: int | None) -> int | None:
    """By how much the issues that are hidden from us have become more."""
    if surplus is None or not found.with_finding(Finding.NOT_THERE):
        return None
    asked = {one.id for one in found.answers}
    absent = await log.absent(*project)
    hidden = sum(reason == AbsenceReason.HIDDEN for issue, reason in absent.items() if issue not in asked)
    shown_again = sum(reason == AbsenceReason.HIDDEN for reason in found.gone_before.values())
    if found.last.surplus is None:
        return surplus - hidden
    return surplus - found.last.surplus + shown_again


async def _went_back(jira: JiraClient, log: EventLog, project: ProjectKey, run_id: str) -> int:
    """How many issues are older than they were, as runs have met them since the last census, or as Jira shows now."""
    met = await log.checkpoint(CheckpointNames(project).went_back)
    return int(met) if met else await _older(jira, log, project, run_id)


async def _older(jira: JiraClient, log: EventLog, project: ProjectKey, run_id: str) -> int:
    """How many of the issues that have changed last are older in Jira now: it went back in time.

    One is asked for once more alone: an odd answer is not a restored backup.
    """
    pages_of_list = await log.checkpoints(CensusNames(project).listed(run_id))
    newest = in_order(issue for page in pages_of_list.values() for issue in ids_in(page))[-LOOKED_THROUGH:]
    streams = {JiraIssueFetched.stream_of(project.site, issue): issue for issue in newest}
    heads = await log.heads(list(streams))
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    updated = {streams[stream]: head.updated for stream, head in heads.items() if "" < head.updated < now}
    changed = sorted(updated, key=lambda issue: updated[issue])[-PAGE:]
    if not changed:
        return 0
    try:
        shown = await jira.bulk_fetch(changed, ("updated",))
        older = [one for one in map(_Dated.of, shown.issues) if one is not None and one.before(updated)]
        if not older:
            return 0
        again = _Dated.of(await jira.issue(older[-1].id, ("updated",)))
    except ONE_SICK:
        return 0
    return len(older) if again is not None and again.before(updated) else 0


class _Updated(msgspec.Struct, frozen=True):
    updated: Raw = Raw(b"null")


class _WithDate(msgspec.Struct, frozen=True):
    id: str | int
    fields: _Updated = _Updated()


class _Dated(NamedTuple):
    """When an issue was updated last, as Jira says."""

    id: str
    updated: datetime | None

    @classmethod
    def of(cls, raw: Raw) -> _Dated | None:
        try:
            shown = msgspec.json.decode(raw, type=_WithDate)
        except msgspec.DecodeError:
            return None
        return cls(str(shown.id), moment_of(shown.fields.updated))

    def before(self, known: Mapping[str, str]) -> bool:
        if self.updated is None or self.id not in known:
            return False
        return self.updated.isoformat(timespec="microseconds") < known[self.id]


async def _let_go(log: EventLog, message: CompleteCensus, found: _Found, going: Mapping[str, AbsenceReason]) -> None:
    """Append that the issues are gone. What was seen of one since it was asked about counts more."""
    project = project_of(message)
    answers = {one.id: one for one in found.answers}
    for part in pages(list(going), AT_ONCE):
        streams = {issue: JiraIssueFetched.stream_of(project.site, issue) for issue in part}
        heads = await log.heads(list(streams.values()))
        now = datetime.now(UTC)
        changes = [
            issue_gone(
                project,
                issue,
                going[issue],
                heads[stream],
                asked_at=answers[issue].asked_at,
                now=now,
                cause=message.run_id,
                key=answers[issue].key if going[issue] is AbsenceReason.MOVED else "",
                former_key=answers[issue].known_key,
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


async def _described(jira: JiraClient, log: EventLog, message: CompleteCensus, found: _Found, judged: _Judged) -> _End:
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
    return [children_proof(kind, here[kind], debts, restricted) for kind in CHILDREN]


class _Lack(NamedTuple):
    """Issues that Jira lists and that are still not here."""

    real: Sequence[str]
    silent: Sequence[str]
    """Those of them of which Jira says nothing."""
    ghosts: int
    """Issues that are only on its list: they were deleted, hidden or moved, and its index is late."""


async def _still_lacking(
    jira: JiraClient, log: EventLog, message: CompleteCensus, found: _Found, here: Collection[str]
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


async def _found(log: EventLog, project: ProjectKey, run_id: str) -> _Found:
    names = CensusNames(project)
    answers = [
        answer
        for stored in (await log.checkpoints(names.answers(run_id))).values()
        for answer in msgspec.json.decode(stored, type=list[Answer])
    ]
    lacking = [issue for stored in (await log.checkpoints(names.lacking(run_id))).values() for issue in ids_in(stored)]
    left = await log.checkpoints(names.left(run_id))
    gone = await log.checkpoint(names.gone_before(run_id))
    last = await log.checkpoint(names.last)
    return _Found(
        answers=answers,
        lacking=lacking + ids_in(left.get(f"{names.left(run_id)}/lacking")),
        unasked=ids_in(left.get(f"{names.left(run_id)}/missing")),
        gone_before=msgspec.json.decode(gone, type=dict[str, str]) if gone else {},
        last=msgspec.json.decode(last, type=Last) if last else Last(),
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
