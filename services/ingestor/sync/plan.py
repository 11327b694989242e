"""How far each project has been read, and where the next run begins. Pure: what is stored and the clock are given.

A watermark is the moment a successful scan *began*, less an overlap; never the newest change seen, because Jira's
search index serves rows late and a change that comes late would lie before it for ever. The overlap is free: a row
read twice has the same digest and is not stored again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from libs.temporal.messages import SyncPlan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.sync.lateness.measuring import LEAST

ENTITIES = ("issue", "comment", "worklog", "sprint", "user")

RETRIES_PER_RUN = 100
"""Unfinished issues that one run reads again: one request. The others are left to the runs after it."""

TRAILING_WINDOW = timedelta(hours=12)
TRAILING_EVERY = timedelta(hours=1)
"""Once an hour a run looks back over half a day: bulk edits have been seen to reach the index hours late."""


class Watermarks(msgspec.Struct, frozen=True, kw_only=True):
    """Per entity: everything changed before this moment (UTC) is in the event log."""

    issue: datetime
    comment: datetime
    worklog: datetime
    sprint: datetime
    user: datetime
    trailing_at: datetime
    """When a scan last looked back over the whole trailing window."""
    scanned_at: datetime | None = None
    """When the scan began that reached them; None as former versions have written it, whose overlap was `LEAST`."""

    @property
    def scan(self) -> datetime:
        return self.scanned_at or self.issue + LEAST


class PendingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A sync that somebody asked for and no run has taken up yet."""

    request_id: str
    full: bool
    account_ids: tuple[str, ...] = ()
    reason: str = ""


def full_run(names: CheckpointNames, request_id: str, reason: str) -> dict[str, bytes]:
    """The checkpoint by which the next run is a full one."""
    request = PendingRequest(request_id=request_id, full=True, reason=reason)
    return {f"{names.requests}{request_id}": msgspec.json.encode(request)}


class Owed(NamedTuple):
    """What earlier runs could not read, and this one is to try again."""

    issues: Sequence[str] = ()
    """Ids, or keys of issues without one; those that wait longest first."""
    bounds: Sequence[datetime | None] = ()
    """Bounds of searches that have shown issues without a name; None: all issues are to be read."""


def plan_sync(
    watermarks: Watermarks | None,
    requests: Sequence[PendingRequest],
    owed: Owed,
    now: datetime,
    tracked: Sequence[str] = (),
    in_turn: Sequence[str] = (),
) -> SyncPlan:
    """Decide what a run does. Full: the first time, on request, and where a list of all issues could not be read.

    Accounts limit it only if every request does. Issues whose turn it is are read where what is owed leaves room.
    """
    limited = bool(requests) and all(request.account_ids for request in requests) and watermarks is not None
    full = watermarks is None or any(request.full for request in requests) or (None in owed.bounds and not limited)
    searched = [bound for bound in owed.bounds if bound is not None and not limited]
    accounts = tuple(sorted({account for request in requests for account in request.account_ids})) if limited else ()
    trailing = looks_back(watermarks, now)
    owed_now = () if full else tuple(owed.issues[:RETRIES_PER_RUN])
    free = 0 if full or limited else RETRIES_PER_RUN - len(owed_now)
    reread = tuple(issue for issue in in_turn if issue not in owed_now)[:free]
    return SyncPlan(
        full=full,
        since=None if full or watermarks is None else min([_since(watermarks, now, trailing=trailing), *searched]),
        account_ids=accounts,
        trailing=full or trailing,
        started_at=now,
        retry_issue_ids=owed_now,
        request_ids=tuple(request.request_id for request in requests),
        tracked=tuple(tracked),
        reread_issue_ids=reread,
        scanned_at=None if full or watermarks is None else watermarks.scan,
    )


def looks_back(watermarks: Watermarks | None, now: datetime) -> bool:
    """Whether it is time to look back over the trailing window."""
    return watermarks is not None and now - watermarks.trailing_at >= TRAILING_EVERY


def _since(watermarks: Watermarks, now: datetime, *, trailing: bool) -> datetime:
    since = min(watermarks.issue, watermarks.comment, watermarks.worklog)
    return min(since, now - TRAILING_WINDOW) if trailing else since


def advance(
    previous: Watermarks | None, plan: SyncPlan, scan_started_at: datetime, overlap: timedelta = LEAST
) -> Watermarks | None:
    """The watermarks after a successful run; None when they stay, as after a run limited to some accounts."""
    if plan.account_ids:
        return None
    checkpoint = scan_started_at - overlap
    trailing_at = scan_started_at if plan.trailing or previous is None else previous.trailing_at
    return Watermarks(
        issue=checkpoint,
        comment=checkpoint,
        worklog=checkpoint,
        sprint=checkpoint,
        user=checkpoint,
        trailing_at=trailing_at,
        scanned_at=scan_started_at,
    )


def full_jql(project: str, *parts: Sequence[str]) -> str:
    """All issues of a project in which, of each list in `parts` that is not empty, somebody has a part."""
    return f"project = {quote(project)}{_parts(parts)} ORDER BY key ASC"


def ids_jql(ids: Sequence[str], *parts: Sequence[str]) -> str:
    """Those of the issues in which, of each list in `parts` that is not empty, somebody has a part."""
    return f"id in ({', '.join(ids)}){_parts(parts)} ORDER BY id ASC"


def incremental_jql(project: str, since: datetime, *parts: Sequence[str]) -> str:
    """Oldest change first, so that what changes during the scan moves ahead of it and is met again.

    The bound is in epoch milliseconds, unquoted: a quoted date would be read in the time zone of the account's
    profile. There is no upper bound: a ceiling that lags would hide an issue that is touched all the time.
    """
    bound = int(since.timestamp() * 1000)
    return f"project = {quote(project)} AND updated >= {bound}{_parts(parts)} ORDER BY updated ASC, key ASC"


def _parts(parts: Sequence[Sequence[str]]) -> str:
    return "".join(_part_of(accounts) for accounts in parts if accounts)


def _part_of(account_ids: Sequence[str]) -> str:
    listed = ", ".join(quote(account) for account in account_ids)
    return f" AND (assignee in ({listed}) OR reporter in ({listed}) OR worklogAuthor in ({listed}))"


def quote(text: str) -> str:
    """A JQL string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
