"""What Jira gives for a page: one answer of a search, or the issues of a list of ids."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Raw

from libs.jira_client import IdPage, JiraClient, JiraError, NetworkGlitch, NotFoundOrHidden, smaller_may_help
from libs.temporal.messages import FetchPage, PageSource
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.asking.dividing import Divided, read_divided
from services.ingestor.sync.asking.renames import by_current_key, current_key
from services.ingestor.sync.asking.repeats import noted, shown_by
from services.ingestor.sync.plan import full_jql, incremental_jql
from services.ingestor.sync.step import ONE_SICK

FIELDS = ("*all", "comment", "worklog")
"""Every field, custom ones too, so that nothing a later projection wants was left behind."""

ASKED_ALONE = 10
"""Issues, of those that Jira passed over again, that one run asks for one by one. The others are left to later runs."""

FEWER_IDS = 4
"""So many times fewer ids are asked for where a page of them does not come."""

OTHERS = 3
"""Other issues that are asked for, one by one, where Jira may be sick: one that comes shows that it is not."""

PASSED_OVER = "Jira's answer does not show it, nor says that it is gone"

NAMED = 5
"""Ids that a warning about many issues names."""

_NOT_THERE = re.compile(r"does not exist|do not have permission|not found", re.IGNORECASE)
_FOR_NOW = re.compile(r"time[d ]*out|temporar|try again|unavailable|internal", re.IGNORECASE)


class Answer(NamedTuple):
    """What Jira gave for a page."""

    raws: Sequence[Raw] = ()
    next_token: str | None = None
    warnings: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Ids of issues that were asked for, and that are not there, as Jira says."""
    owed: Mapping[str, str] = MappingProxyType({})
    """Ids of issues that were asked for, and that the answer neither shows nor says to be gone; with the reason."""
    left: int = 0
    """Issues of the page that are still to be read, by its next part."""
    kept: Mapping[str, bytes] = {}
    """Checkpoints to be stored with the page."""


async def read_page(jira: JiraClient, log: EventLog, message: FetchPage, names: CheckpointNames) -> Answer:
    if message.part:
        left = await log.checkpoint(names.left(message.run_id, message.page))
        return await _read_ids(jira, log, message, names, _ids_in(left))
    match message.source:
        case PageSource.SEARCH:
            return await _search(jira, log, message, names)
        case PageSource.RETRY:
            return await read_owed(jira, (*message.plan.retry_issue_ids, *message.plan.reread_issue_ids))
        case PageSource.IDS:
            stored = await log.checkpoint(names.page(message.run_id, message.page))
            return await _read_ids(jira, log, message, names, _ids_in(stored))


def _ids_in(stored: bytes | None) -> list[str]:
    return stored.decode().split(",") if stored else []


# --- a page of a search


async def _search(jira: JiraClient, log: EventLog, message: FetchPage, names: CheckpointNames) -> Answer:
    answer = await by_current_key(
        jira, log, project_of(message), lambda key: _searched(jira, log, message, names, _jql(message, key))
    )
    if not answer.raws or answer.next_token is None:
        return answer
    prefix = names.shown(message.run_id)
    shown = noted(shown_by(answer.raws), await log.checkpoints(prefix))
    return answer._replace(kept={**answer.kept, f"{prefix}{message.page:06d}": shown})


async def _searched(jira: JiraClient, log: EventLog, message: FetchPage, names: CheckpointNames, jql: str) -> Answer:
    """One answer with all fields; where that is too much at once, the ids of the page, and then its issues by them."""
    size, whole = jira.settings.issue_page_size, jira.page_size.whole
    if whole:
        try:
            page = await jira.search_issues(jql, fields=FIELDS, token=message.token, max_results=size)
        except JiraError as error:
            if size == 1 or not smaller_may_help(error):
                raise
        else:
            return Answer(page.issues, page.next_token)
    listed = await _ids_of_page(jira, jql, message.token)
    answer = await _read_ids(jira, log, message, names, [*dict.fromkeys(listed.ids)])
    if whole and jira.page_size.whole:
        jira.page_size.failed(size)
    odd = (f"Jira lists {listed.nameless} issues without an id or a key",) if listed.nameless else ()
    return answer._replace(next_token=listed.next_token, warnings=odd + answer.warnings)


async def _ids_of_page(jira: JiraClient, jql: str, token: str | None) -> IdPage:
    """The ids of the page; of fewer issues where Jira does not give so many."""
    size = jira.ids_of_page
    try:
        page = await jira.search_ids(jql, token, size.size)
    except JiraError as error:
        if size.size < FEWER_IDS or isinstance(error, NetworkGlitch) or not smaller_may_help(error):
            raise
        size.failed(size.size // FEWER_IDS)
        return await jira.search_ids(jql, token, size.size)
    size.worked(1)
    return page


def _jql(message: FetchPage, project: str) -> str:
    since = message.plan.since
    if since is None:
        raise ValueError("a search page needs the plan's lower bound")
    return incremental_jql(project, since, message.plan.tracked, message.plan.account_ids)


# --- issues by their ids


async def _read_ids(
    jira: JiraClient, log: EventLog, message: FetchPage, names: CheckpointNames, ids: Sequence[str]
) -> Answer:
    """Issues by their ids. Those that Jira passes over, or cannot show, are owed."""
    if not ids:
        return Answer()
    divided = await read_divided(
        ids,
        jira.page_size,
        partial(jira.bulk_fetch, fields=FIELDS),
        jira.pause,
        lambda: _others_come(jira, log, message, ids),
    )
    if divided.failure is not None:
        raise divided.failure
    gone, passed_over = _missing(divided, ids)
    sick, left = _still_open(divided), (*divided.doubtful, *divided.left)
    return Answer(
        divided.issues,
        warnings=(*_gone(gone), *_passed_over(passed_over, len(ids)), *_sick(sick)),
        gone=tuple(gone),
        owed=_reasons(passed_over, sick),
        left=len(left),
        kept={names.left(message.run_id, message.page): ",".join(left).encode()} if left else {},
    )


async def _others_come(jira: JiraClient, log: EventLog, message: FetchPage, ids: Sequence[str]) -> bool:
    """Whether Jira shows an issue of the project that is not one of these: then it is well, and they are not."""
    key = await current_key(log, project_of(message))
    try:
        listed = await jira.search_ids(full_jql(key), max_results=len(ids) + OTHERS)
    except JiraError:
        return False
    for other in [issue for issue in listed.ids if issue not in ids][:OTHERS]:
        try:
            if (await jira.bulk_fetch([other], fields=FIELDS)).issues:
                return True
        except JiraError:
            continue
    return False


async def read_owed(jira: JiraClient, ids: Sequence[str]) -> Answer:
    """Issues that earlier runs owe, or whose turn it is. Some of those that Jira passes over again are asked for alone.

    What does not come stays owed, and costs no more: where Jira is sick, the run's own pages will say so.
    """
    if not ids:
        return Answer()
    divided = await read_divided(
        ids, jira.page_size, partial(jira.bulk_fetch, fields=FIELDS), jira.pause, _without_proof
    )
    gone, passed_over = _missing(divided, ids)
    sick = {**divided.doubtful, **_still_open(divided)}
    asked = passed_over[:ASKED_ALONE]
    answers = dict(zip(asked, await asyncio.gather(*(_asked_alone(jira, issue) for issue in asked)), strict=True))
    shown = [raw for answer in answers.values() if answer for raw in answer]
    gone += [issue for issue, answer in answers.items() if answer == []]
    owed = [issue for issue in passed_over if answers.get(issue) is None]
    return Answer(
        [*divided.issues, *shown],
        warnings=(*_gone(gone), *_passed_over(owed, len(ids)), *_sick(sick), *_put_off(divided)),
        gone=tuple(gone),
        # Those that were not asked for keep their place in the queue, before these.
        owed=_reasons(owed, sick),
    )


async def _without_proof() -> bool:
    return False


def _missing(divided: Divided, ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that are gone, as Jira says, and those that it passes over."""
    known = [problem for problem in divided.problems if problem.id in ids]
    gone = [problem.id for problem in known if problem.confirmed and _NOT_THERE.search(problem.message)]
    passed_over = [problem.id for problem in known if problem.id not in gone]
    return gone + [issue for issue in divided.sick if _is_gone(divided, issue)], passed_over


def _still_open(divided: Divided) -> dict[str, JiraError]:
    """The sick issues of which Jira, asked for each alone, does not say that there is none."""
    return {issue: error for issue, error in divided.sick.items() if not _is_gone(divided, issue)}


def _is_gone(divided: Divided, issue: str) -> bool:
    """A "not found" is believed of an issue asked for alone, while Jira shows others."""
    return isinstance(divided.sick[issue], NotFoundOrHidden)


async def _asked_alone(jira: JiraClient, issue: str) -> list[Raw] | None:
    """The one issue; an empty list when Jira has none, as it says or shows; None when that is still open."""
    try:
        bulk = await jira.bulk_fetch([issue], fields=FIELDS)
    except NotFoundOrHidden:
        return []
    except ONE_SICK:
        return None
    if any(problem.confirmed and _FOR_NOW.search(problem.message) for problem in bulk.errors):
        return bulk.issues or None
    return bulk.issues


def _reasons(passed_over: Iterable[str], sick: Mapping[str, JiraError]) -> dict[str, str]:
    return dict.fromkeys(passed_over, PASSED_OVER) | {issue: error.message for issue, error in sick.items()}


def _gone(ids: Sequence[str]) -> Iterable[str]:
    if ids:
        yield f"{len(ids)} issues of the list could not be read: deleted or hidden meanwhile ({_first(ids)})"


def _passed_over(ids: Sequence[str], asked: int) -> Iterable[str]:
    if ids:
        yield (
            f"Jira's answer does not show {len(ids)} of {asked} issues that it was asked for ({_first(ids)}), "
            "nor says that they are gone; they are asked for again by the next run"
        )


def _sick(sick: Mapping[str, JiraError]) -> Iterable[str]:
    """By what Jira says of them, so that many with one cause are one warning."""
    by_cause: dict[str, list[str]] = {}
    for issue, error in sick.items():
        by_cause.setdefault(error.message, []).append(issue)
    for message, ids in by_cause.items():
        which = f"Issue {ids[0]}, asked for" if len(ids) == 1 else f"{len(ids)} issues ({_first(ids)}), each asked for"
        yield f"{which} alone, could not be read: {message} The next run asks again"


def _put_off(divided: Divided) -> Iterable[str]:
    if divided.left:
        yield (
            f"{len(divided.left)} issues that are owed were not asked for, because those before them did not come "
            f"({_first(divided.left)}); the next run asks for them"
        )


def _first(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
