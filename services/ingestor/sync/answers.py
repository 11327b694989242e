"""What Jira gives for a page: one answer of a search, or the issues of a list of ids."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Raw

from libs.jira_client import JiraClient, NotFoundOrHidden
from libs.temporal.messages import FetchPage, PageSource
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync.plan import PAGE_SIZE, incremental_jql
from services.ingestor.sync.step import ONE_SICK

FIELDS = ("*all", "comment", "worklog")
"""Every field, custom ones too, so that nothing a later projection wants was left behind."""

ASKED_ALONE = 10
"""Issues, of those that Jira passed over again, that one run asks for one by one. The others are left to later runs."""

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
    owed: tuple[str, ...] = ()
    """Ids of issues that were asked for, and that the answer neither shows nor says to be gone."""


async def read_page(jira: JiraClient, log: EventLog, message: FetchPage, names: CheckpointNames) -> Answer:
    match message.source:
        case PageSource.SEARCH:
            return await _search(jira, message)
        case PageSource.RETRY:
            return await _read_ids(jira, message.plan.retry_issue_ids, alone=ASKED_ALONE)
        case PageSource.IDS:
            stored = await log.checkpoint(names.page(message.run_id, message.page))
            return await _read_ids(jira, stored.decode().split(",") if stored else ())


async def _search(jira: JiraClient, message: FetchPage) -> Answer:
    since = message.plan.since
    if since is None:
        raise ValueError("a search page needs the plan's lower bound")
    jql = incremental_jql(message.project, since, message.plan.tracked, message.plan.account_ids)
    try:
        page = await jira.search_issues(jql, fields=FIELDS, token=message.token, max_results=PAGE_SIZE)
    except NotFoundOrHidden:
        await jira.project(message.project)  # an archived one, or one in the trash, says so itself
        raise
    return Answer(page.issues, page.next_token)


async def _read_ids(jira: JiraClient, ids: Sequence[str], *, alone: int = 0) -> Answer:
    """Issues by their ids. Those that the answer passes over are owed; so many of them are asked for `alone`."""
    if not ids:
        return Answer()
    bulk = await jira.bulk_fetch(list(ids), fields=FIELDS)
    problems = [problem for problem in bulk.errors if problem.id in ids]
    gone = [problem.id for problem in problems if problem.confirmed and _NOT_THERE.search(problem.message)]
    passed_over = [problem.id for problem in problems if problem.id not in gone]
    asked = passed_over[:alone]
    answers = dict(zip(asked, await asyncio.gather(*(_asked_alone(jira, issue) for issue in asked)), strict=True))
    shown = [raw for answer in answers.values() if answer for raw in answer]
    gone += [issue for issue, answer in answers.items() if answer == []]
    owed = tuple(issue for issue in passed_over if answers.get(issue) is None)
    return Answer(
        [*bulk.issues, *shown], warnings=(*_gone(gone), *_passed_over(owed, len(ids))), gone=tuple(gone), owed=owed
    )


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


def _gone(ids: Sequence[str]) -> Iterable[str]:
    if ids:
        yield f"{len(ids)} issues of the list could not be read: deleted or hidden meanwhile ({_first(ids)})"


def _passed_over(ids: Sequence[str], asked: int) -> Iterable[str]:
    if ids:
        yield (
            f"Jira's answer does not show {len(ids)} of {asked} issues that it was asked for ({_first(ids)}), "
            "nor says that they are gone; they are asked for again by the next run"
        )


def _first(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
