"""Issues that we show and Jira does not list, asked for by their ids, a hundred at once; every id is accounted for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from libs.events import Append, Event, JiraIssueFetched, JiraIssueGone, ProjectKey
from libs.jira_client import Forbidden, JiraClient, JiraError, NotFoundOrHidden, PageSize, RequestCount
from libs.jira_client.models import id_of
from libs.temporal.census import Asked, CensusSurvey, CompleteCensus, ConfirmMissing
from services.ingestor.census.compare import PAGE, pages
from services.ingestor.census.missing.verdicts import Answer, Finding, finding_of
from services.ingestor.census.remembered import CensusNames, ids_in, numbered
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.asking.dividing import Divided, may_be_one_issues, read_divided
from services.ingestor.sync.asking.renames import known_project, registered_keys
from services.ingestor.sync.named import facts
from services.ingestor.sync.plan import ids_jql
from services.ingestor.sync.records.odd import ODD
from services.ingestor.sync.step import ONE_SICK

FIELDS = ("project",)

ASKED_ALONE = 10
"""Issues of a step about which the answer said nothing, or something odd, that are asked for one by one; beside those
for which a request was refused."""

REFUSALS: Final = (NotFoundOrHidden, Forbidden)


class _Project(msgspec.Struct, frozen=True):
    id: str | int | None = None
    key: str | None = None


class _Fields(msgspec.Struct, frozen=True):
    project: _Project | None = None


class _Shown(msgspec.Struct, frozen=True):
    """An issue, as far as it says where it is."""

    id: str | int
    key: str = ""
    fields: _Fields = _Fields()


class _Stored(msgspec.Struct, frozen=True):
    """What the last event of an issue says of it."""

    fields: Mapping[str, Raw] = {}


class Known(NamedTuple):
    """What is stored of an issue."""

    key: str = ""
    secured: bool = False


class _Where(NamedTuple):
    """The projects of the site that are ours."""

    own_id: str
    """Of the one that is compared; empty where it is not known."""
    own_key: str
    registered: Mapping[str, str]
    """Ids and keys of the others, with the key under which each is registered."""


async def confirmed(jira: JiraClient, log: EventLog, message: ConfirmMissing, requests: RequestCount) -> Append:
    """What Jira says of each of the issues. Those that it shows in another registered project are read there."""
    project = project_of(message)
    names = CensusNames(project)
    ids = ids_in(await log.checkpoint(numbered(names.missing(message.run_id), message.page)))
    told = await _told(jira, log, message, ids)
    moved: defaultdict[str, list[str]] = defaultdict(list)
    for issue, key in told.moved.items():
        moved[key].append(issue)
    for key, issues in moved.items():
        there = ProjectKey(project.site, key)
        for part in pages(issues, PAGE):
            read = await facts(jira, log, there, message.run_id, message.plan.started_at, part, requests)
            await log.append(read)
    return Append(
        checkpoints={numbered(names.answers(message.run_id), message.page): msgspec.json.encode(told.answers)},
        outcome=msgspec.json.encode(Asked(requests=requests.sent)),
    )


async def asked(
    jira: JiraClient, log: EventLog, message: ConfirmMissing | CompleteCensus, ids: Sequence[str]
) -> list[Answer]:
    """What Jira says of each of the issues; nothing is stored."""
    return (await _told(jira, log, message, ids)).answers


class _Told(NamedTuple):
    answers: list[Answer]
    moved: dict[str, str]
    """Ids of issues, with the registered project that Jira shows each in."""


async def _told(jira: JiraClient, log: EventLog, message: ConfirmMissing | CompleteCensus, ids: Sequence[str]) -> _Told:
    where = await _where(log, project_of(message), message.survey)
    whole = _Told([], {})
    for part in pages(ids, PAGE):
        told = await _asked(jira, log, project_of(message), part, where, alone=not whole.answers)
        whole.answers.extend(await _with_watch_list(jira, message.plan.tracked, told.answers))
        whole.moved.update(told.moved)
    return whole


async def _where(log: EventLog, project: ProjectKey, survey: CensusSurvey) -> _Where:
    registered: dict[str, str] = {}
    for key in await registered_keys(log, project.site):
        if key == project.key:
            continue
        known = await known_project(log, ProjectKey(project.site, key))
        registered |= {key: key} if known is None else {known.id: key, known.key: key}
    return _Where(survey.jira_id, survey.key or project.key, registered)


async def _asked(
    jira: JiraClient, log: EventLog, project: ProjectKey, ids: Sequence[str], where: _Where, *, alone: bool
) -> _Told:
    known = await known_of(log, project, ids)
    asked_at = datetime.now(UTC)
    divided = await read_divided(
        ids, PageSize(PAGE), partial(jira.bulk_fetch, fields=FIELDS), jira.pause, _without_proof
    )
    if divided.failure is not None:
        raise divided.failure
    shown = {str(one.id): one for one in map(_shown, divided.issues) if one is not None}
    findings = {issue: _finding(issue, shown, divided, known[issue], where) for issue in ids}
    for issue in _to_ask_alone(findings, divided, ASKED_ALONE if alone else 0):
        findings[issue] = await _alone(jira, issue, shown, where)
    answers = [
        Answer(
            id=issue,
            finding=finding,
            asked_at=asked_at,
            key=shown[issue].key if issue in shown else "",
            known_key=known[issue].key,
            secured=known[issue].secured,
        )
        for issue, finding in findings.items()
    ]
    moved = {
        issue: key
        for issue, finding in findings.items()
        if finding is Finding.REGISTERED and (key := _registered(shown[issue].fields.project or _Project(), where))
    }
    return _Told(answers, moved)


def _finding(issue: str, shown: Mapping[str, _Shown], divided: Divided, known: Known, where: _Where) -> Finding:
    """By what Jira shows, else by what it says under the issue's id or its key.

    A refused request for the issue alone is no answer: any request may be refused once, whatever it asks for.
    """
    if issue in shown:
        return _place(shown[issue], where)
    for problem in divided.problems:
        if problem.confirmed and problem.id and problem.id in (issue, known.key):
            return finding_of(problem.message)
    return Finding.SILENT


def _to_ask_alone(findings: Mapping[str, Finding], divided: Divided, room: int) -> list[str]:
    """Issues of which nothing is known yet: all that were refused one by one; of the others, as many as have room."""
    silent = [issue for issue, finding in findings.items() if finding is Finding.SILENT]
    refused = [issue for issue in silent if isinstance(divided.sick.get(issue), REFUSALS)]
    return refused + [issue for issue in silent if issue not in refused][:room]


def _refusal(error: JiraError) -> Finding:
    if isinstance(error, NotFoundOrHidden):
        return Finding.NOT_THERE
    return Finding.REFUSED if isinstance(error, Forbidden) else Finding.SILENT


async def _alone(jira: JiraClient, issue: str, shown: dict[str, _Shown], where: _Where) -> Finding:
    """What Jira says of the one issue when it is asked for nothing else; a refusal counts if it comes a second time."""
    finding = await _at_its_address(jira, issue, shown, where)
    refused = finding in (Finding.NOT_THERE, Finding.REFUSED)
    return await _at_its_address(jira, issue, shown, where) if refused else finding


async def _at_its_address(jira: JiraClient, issue: str, shown: dict[str, _Shown], where: _Where) -> Finding:
    try:
        found = _shown(await jira.issue(issue, FIELDS))
    except ONE_SICK as error:
        if not may_be_one_issues(error):
            raise
        return _refusal(error)
    if found is None or str(found.id) != issue:
        return Finding.SILENT
    shown[issue] = found
    return _place(found, where)


def _place(shown: _Shown, where: _Where) -> Finding:
    """Where an issue is. One that does not say its project is taken to be where it was: it is there, that is known."""
    named = shown.fields.project
    if named is None or (named.id is None and not named.key):
        return Finding.HERE
    # By the id where there is one: a key may have passed on to another project.
    by_id = named.id is not None and where.own_id
    if str(named.id) == where.own_id if by_id else named.key == where.own_key:
        return Finding.HERE
    if shown.key.rpartition("-")[0] == where.own_key:
        return Finding.HERE  # an issue that moves has another key: what it says of its project is odd
    return Finding.REGISTERED if _registered(named, where) else Finding.ELSEWHERE


def _registered(named: _Project, where: _Where) -> str | None:
    """Under which key the project is registered, if it is."""
    return where.registered.get(str(named.id)) or where.registered.get(named.key or "")


def _shown(raw: Raw) -> _Shown | None:
    """An issue as far as it can be read; None without its id."""
    try:
        return msgspec.json.decode(raw, type=_Shown)
    except ODD:
        issue = id_of(raw)
        return None if issue is None else _Shown(issue)


async def known_of(log: EventLog, project: ProjectKey, ids: Sequence[str]) -> dict[str, Known]:
    """What the log says of each issue; of one whose last event is lost, nothing, and of one that is gone its key."""
    streams = {issue: JiraIssueFetched.stream_of(project.site, issue) for issue in ids}
    heads = await log.heads(list(streams.values()))
    known: dict[str, Known] = {}
    for issue, stream in streams.items():
        events = await log.stream(stream, heads[stream].version - 1) if stream in heads else []
        known[issue] = next(map(_known, reversed(events)), Known())
    return known


def _known(event: Event) -> Known:
    match event:
        case JiraIssueFetched():
            return Known(event.key, _is_secured(event.payload))
        case JiraIssueGone():
            return Known(event.former_key)
    return Known()


def _is_secured(payload: Raw) -> bool:
    try:
        level = msgspec.json.decode(payload, type=_Stored).fields.get("security", Raw(b"null"))
    except ODD:
        return False
    return bytes(level) != b"null"


async def _with_watch_list(jira: JiraClient, tracked: Sequence[str], answers: list[Answer]) -> list[Answer]:
    """Of the issues that are in the project, those outside its watch list: the search shows them, but not so."""
    here = [one.id for one in answers if one.finding is Finding.HERE]
    if not tracked or not here:
        return answers
    try:
        on_list = await _found(jira, ids_jql(here, tracked))
        outside = [issue for issue in here if issue not in on_list]
        left = set(outside) & await _found(jira, ids_jql(outside)) if outside else set()
    except ONE_SICK:
        return answers
    return [msgspec.structs.replace(one, finding=Finding.OFF_LIST) if one.id in left else one for one in answers]


async def _found(jira: JiraClient, jql: str) -> set[str]:
    return {issue async for page in jira.id_pages(jql) for issue in page.ids}


async def _without_proof() -> bool:
    return False
