"""The comments and worklogs of an issue, where they did not come whole with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from libs.jira_client import JiraClient, JiraError, Listed
from services.ingestor.sync.asking.sick import is_one_sick
from services.ingestor.sync.records.odd import Odd, why
from services.ingestor.sync.records.translate import Children, Issue


class Completed(NamedTuple):
    """An issue with its comments and worklogs, as far as Jira shows them."""

    issue: Issue
    odd: Sequence[Odd]
    notes: Sequence[str]


async def completed(jira: JiraClient, issues: Sequence[Issue]) -> list[Completed]:
    """The issues, in their order, each with what did not come with it."""
    whole = [Completed(issue, (), ()) for issue in issues]
    lacking = [place for place, issue in enumerate(issues) if not (issue.comments.complete and issue.worklogs.complete)]
    found = await asyncio.gather(*(_completed(jira, issues[place]) for place in lacking))
    for place, one in zip(lacking, found, strict=True):
        whole[place] = one
    return whole


async def _completed(jira: JiraClient, issue: Issue) -> Completed:
    """Fetch on where a list came shorter than its total. A list that cannot be had does not cost the issue."""
    odd: list[Odd] = []
    notes: list[str] = []
    for name, known, fetch in (
        ("comments", issue.comments, jira.all_comments),
        ("worklogs", issue.worklogs, jira.all_worklogs),
    ):
        if not known.complete:
            found = await listed(jira, fetch(issue.issue_id))
            # Of a list that is cut, what came with the issue may be what is missing.
            items = [*found, *known.items] if found.cut else [*found]
            whole = Children(items=items, total=len(items), counted=None if found.cut else found.total)
            issue = msgspec.structs.replace(issue, **{name: whole})
            odd += [_cut(issue, name, found.cut)] if found.cut else []
            notes += [f"Issue {issue.key}: {note}" for note in found.notes]
    return Completed(issue, odd, notes)


def _cut(issue: Issue, name: str, why: str) -> Odd:
    record, shown = f"issue/{issue.issue_id}/{name}", f"Issue {issue.key}, {name}"
    return Odd(record, name, shown, why, issue.issue_id, issue.key)


async def listed(jira: JiraClient, fetch: Awaitable[Listed[Raw]]) -> Listed[Raw]:
    """The list, or an empty one that says why there is none."""
    try:
        return await fetch
    except JiraError as error:
        if await is_one_sick(jira, error):
            return Listed(cut=error.message)
        raise
    except msgspec.DecodeError as error:
        return Listed(cut=why(error))
