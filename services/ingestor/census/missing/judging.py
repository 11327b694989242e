"""Whether what seems gone may go: what the steps of a census have found, weighed by `verdicts` and `brake`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import Raw

from libs.events import AbsenceReason, JiraIssueFetched, ProjectKey
from libs.jira_client import JiraClient
from libs.temporal.census import CompleteCensus, Standing
from services.ingestor.census.compare import PAGE, in_order
from services.ingestor.census.doubts import Between, Doubt, Settled, Told, newly_hidden, settled
from services.ingestor.census.missing import evidence
from services.ingestor.census.missing.brake import Brake, Grounds, brake
from services.ingestor.census.missing.confirm import known_of
from services.ingestor.census.missing.verdicts import Answer, Finding, verdicts
from services.ingestor.census.remembered import CensusNames, Last, ids_in
from services.ingestor.census.survey import under_policy
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.records.odd import moment_of
from services.ingestor.sync.step import ONE_SICK

ASKED_AGAIN = 500
"""Issues that were in doubt before, and that are asked about once more with what is newly missing."""

LOOKED_THROUGH = 20_000
"""Issues, the newest ones, among which those are looked for that have changed last."""


class Found(NamedTuple):
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


async def found_by(log: EventLog, project: ProjectKey, run_id: str) -> Found:
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
    return Found(
        answers=answers,
        lacking=lacking + ids_in(left.get(f"{names.left(run_id)}/lacking")),
        unasked=ids_in(left.get(f"{names.left(run_id)}/missing")),
        gone_before=msgspec.json.decode(gone, type=dict[str, str]) if gone else {},
        last=msgspec.json.decode(last, type=Last) if last else Last(),
    )


class Judged(NamedTuple):
    """What is to become of the issues that seem gone."""

    going: Mapping[str, AbsenceReason]
    """Empty where nothing may go."""
    settled: Mapping[str, AbsenceReason]
    """Issues that have gone before, and of which it is known by now why."""
    brake: Brake | None
    held: Sequence[str]
    accepted: bool
    last: Last

    @property
    def held_back(self) -> int:
        return len(self.held)


async def judged(jira: JiraClient, log: EventLog, message: CompleteCensus, found: Found, share: float) -> Judged:
    """Whether what seems gone may go, and why each of the issues is gone."""
    counts = await _counts(log, message, found)
    seem = await _seem_gone(jira, log, message, found, counts)
    grounds = await _grounds(jira, log, message, found, seem, share)
    stop = brake(grounds)
    if stop is None:
        accepted = brake(grounds._replace(accepted=0)) is not None
        last = Last(
            unexplained=_unexplained(counts, seem), doubt=seem.doubt, counts_hidden=counts.told, kept=_still_kept(found)
        )
        return Judged(seem.going, seem.settled, None, (), accepted, last)
    held = in_order({*seem.going, *found.unasked})
    kept = tuple(held) if stop.back else _still_kept(found, held)
    last = msgspec.structs.replace(found.last, held_back=len(held), counts_hidden=counts.told, kept=kept)
    return Judged({}, {}, stop, held, False, last)


class _Counts(NamedTuple):
    """What Jira's counts say of issues that it does not show to our account."""

    told: bool
    """Whether its count is known to be of these as well."""
    surplus: int | None
    """How many it counts beyond those that it shows; None where it does not count."""
    hidden: int
    """How many are known to be hidden."""
    before: int | None
    """The surplus that the last census could not explain; None before the first."""
    back: frozenset[str]
    """Of those in doubt, the ones that Jira has shown since."""

    @property
    def usable(self) -> int | None:
        return self.surplus if self.told else None


async def _counts(log: EventLog, message: CompleteCensus, found: Found) -> _Counts:
    project, last = project_of(message), found.last
    surplus = _surplus(message, len(found.with_finding(Finding.HERE)))
    absent = await log.absent(*project)
    asked = {one.id for one in found.answers}
    shown = {*asked, *found.gone_before}
    back = frozenset(issue for issue in last.doubt.ids if issue in shown or issue not in absent)
    were_hidden = {issue for issue, reason in absent.items() if reason == AbsenceReason.HIDDEN} - asked
    before = last.unexplained
    if before is None and last.surplus is not None:
        before = last.surplus - len(were_hidden)
    return _Counts(
        told=bool(surplus) or last.counts_hidden,
        surplus=surplus,
        hidden=len(were_hidden - shown - {*last.doubt.ids}),
        before=before,
        back=back,
    )


def _unexplained(counts: _Counts, seem: _SeemGone) -> int | None:
    """The surplus that is left, below zero where hidden ones were deleted; as it was where Jira does not count now."""
    if counts.surplus is None:
        return counts.before
    certain = [*seem.settled.values(), *(why for one, why in seem.going.items() if one not in seem.doubt.ids)]
    return counts.surplus - counts.hidden - _hidden(certain)


def _hidden(reasons: Iterable[AbsenceReason]) -> int:
    return sum(reason is AbsenceReason.HIDDEN for reason in reasons)


def _newly_hidden(counts: _Counts, old: Settled) -> Between | None:
    """Of the issues that are missing now, how many are hidden; None where Jira does not count."""
    if counts.usable is None:
        return None
    explained = _hidden(old.reasons.values())
    left = counts.usable - counts.hidden - explained
    before = None if counts.before is None else counts.before - explained
    return newly_hidden(left, before, len(counts.back)).among(counts.usable)


class _SeemGone(NamedTuple):
    standing: Standing
    """Of the project; of policies Jira is asked only where something seems gone."""
    going: Mapping[str, AbsenceReason]
    settled: Mapping[str, AbsenceReason]
    doubt: Doubt
    """Of these, and of those that have gone before."""


async def _seem_gone(
    jira: JiraClient, log: EventLog, message: CompleteCensus, found: Found, counts: _Counts
) -> _SeemGone:
    standing, before = message.survey.standing, found.last.doubt
    if standing is Standing.SHOWN and verdicts(found.answers, standing, None).reasons:
        standing = await under_policy(jira, message.survey.jira_id, standing)
    if standing is not Standing.SHOWN:
        return _SeemGone(standing, verdicts(found.answers, standing, None).reasons, {}, before)
    told = await _told(jira, log, message, found, counts)
    old = settled(before, counts.back, told, counts.usable)
    new = verdicts(found.answers, standing, _newly_hidden(counts, old), told)
    doubt = old.doubt.with_more(new.doubt.ids, new.doubt.hidden)
    return _SeemGone(standing, new.reasons, old.reasons, doubt)


async def _told(jira: JiraClient, log: EventLog, message: CompleteCensus, found: Found, counts: _Counts) -> Told:
    """What else tells deleted issues from hidden ones. Jira is asked only where issues are newly missing."""
    site = project_of(message).site
    missing = {one.id: one.known_key for one in found.answers if one.finding is Finding.NOT_THERE}
    before = [issue for issue in found.last.doubt.ids if issue not in counts.back]
    again = await known_of(log, project_of(message), before[:ASKED_AGAIN]) if missing else {}
    keys = {**dict.fromkeys(before, ""), **{issue: one.key for issue, one in again.items()}, **missing}
    deleted = await evidence.told_deleted(log, site, keys, missing) if keys else frozenset()
    deleted |= await evidence.marked_deleted(log, site, before)
    if not missing:
        return Told(deleted)
    there = await evidence.shown_by_worklogs(jira, log, site, keys.keys() - deleted)
    open_still = {issue: key for issue, key in keys.items() if issue not in deleted and issue not in there}
    if open_still and counts.usable != 0:
        deleted |= await evidence.audited(jira, log, site, open_still)
    return Told(deleted, there)


async def _grounds(
    jira: JiraClient, log: EventLog, message: CompleteCensus, found: Found, seem: _SeemGone, share: float
) -> Grounds:
    shown = bool(seem.going) and seem.standing is Standing.SHOWN
    listed = message.comparison.listed + message.comparison.nameless
    return Grounds(
        project=message.project,
        standing=seem.standing,
        counted=message.survey.counted,
        found=listed + len(found.with_finding(Finding.HERE)),
        listed=listed,
        here=message.comparison.here,
        going=len(seem.going) + len(found.unasked),
        back=await _went_back(jira, log, project_of(message), message.run_id) if shown else 0,
        kept=len(set(found.last.kept) & seem.going.keys()),
        share=share,
        accepted=message.plan.accept,
    )


def _still_kept(found: Found, held: Sequence[str] = ()) -> tuple[str, ...]:
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
