"""The list of a project's issues, by ids alone, and what of it is not the same as here.

Each page is stored as it comes, with the place of the next: a census that is interrupted goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from libs.events import Append, JiraIssueFetched, ProjectKey
from libs.jira_client import IdPage, JiraClient, RequestCount, SeenTokens, unbelievable
from libs.jira_client.models import id_of, key_of
from libs.jira_client.pages import REPEATED_PAGES
from libs.temporal.census import CompareIssues, Comparison, ListingPart, ListIssues, Standing
from services.ingestor.census.compare import (
    CONFIRMED_AT_ONCE,
    MOST_CONFIRMED,
    MOST_FETCHED,
    PAGE,
    compared,
    in_order,
    pages,
)
from services.ingestor.census.missing.brake import came_short
from services.ingestor.census.remembered import CensusNames, Listing, as_stored, ids_in, numbered
from services.ingestor.census.survey import count_of
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.asking.renames import by_current_key
from services.ingestor.sync.plan import full_jql, full_run
from services.ingestor.sync.step import ONE_SICK

PAGES_A_STEP = 20
"""Pages of 5,000 ids, of some seconds each."""

SEARCH = "POST /rest/api/3/search/jql"


async def listed(jira: JiraClient, log: EventLog, message: ListIssues, requests: RequestCount) -> ListingPart:
    """Go on with the list, from where it stands."""
    names = CensusNames(project_of(message))
    listing = await _stands(log, names, message)
    known = {issue for page in (await log.checkpoints(names.listed(message.run_id))).values() for issue in ids_in(page)}
    for _ in range(PAGES_A_STEP):
        if listing.done:
            break
        page = await _page(jira, log, message, listing)
        seen = SeenTokens(listing.seen)
        if page.next_token is not None:
            seen.add(page.next_token, SEARCH)
        fresh = [issue for issue in page.ids if issue not in known]
        known.update(fresh)
        listing = msgspec.structs.replace(
            listing,
            pages=listing.pages + 1,
            listed=len(known),
            nameless=listing.nameless + page.nameless,
            token=page.next_token,
            seen=seen.digests,
            repeated=0 if fresh else listing.repeated + 1,
            done=page.next_token is None,
        )
        if listing.repeated == REPEATED_PAGES and not listing.done:
            raise unbelievable(f"Jira shows the same issues again after {len(known)} of them.", SEARCH)
        await log.append(
            Append(
                checkpoints={
                    numbered(names.listed(message.run_id), listing.pages): as_stored(fresh),
                    names.listing(message.run_id): msgspec.json.encode(listing),
                }
            )
        )
    counted = message.survey.counted
    if listing.done and came_short(counted, listing.listed + listing.nameless):
        again = await count_of(jira, full_jql(listing.key, message.plan.tracked))
        counted = again if again is None or counted is None else min(again, counted)
    return ListingPart(done=listing.done, counted=counted, requests=requests.sent)


async def _stands(log: EventLog, names: CensusNames, message: ListIssues) -> Listing:
    """How far the list has come; a new one where there is none, or one of another key."""
    stored = await log.checkpoint(names.listing(message.run_id))
    key, tracked = message.survey.key, message.plan.tracked
    if stored is not None:
        listing = msgspec.json.decode(stored, type=Listing)
        if (listing.key, listing.tracked) == (key, tracked):
            return listing
    listing = Listing(started_at=datetime.now(UTC), key=key, tracked=tracked)
    await log.append(
        Append(
            forget=[f"{names.listed(message.run_id)}*"],
            checkpoints={names.listing(message.run_id): msgspec.json.encode(listing)},
        )
    )
    return listing


async def _page(jira: JiraClient, log: EventLog, message: ListIssues, listing: Listing) -> IdPage:
    """The next page, of issues that are all named by their ids."""
    page = await by_current_key(
        jira,
        log,
        project_of(message),
        lambda key: jira.search_ids(full_jql(key, message.plan.tracked), listing.token),
    )
    keys = [name for name in page.ids if not name.isdecimal()]
    if not keys:
        return page
    ids = await _ids_of(jira, keys)
    named = [ids.get(name, name) for name in page.ids]
    return msgspec.structs.replace(page, ids=named)


async def _ids_of(jira: JiraClient, keys: Sequence[str]) -> dict[str, str]:
    """The ids of issues that Jira has listed by their keys alone, as far as it shows them."""
    found: dict[str, str] = {}
    for part in pages(keys, PAGE):
        try:
            shown = (await jira.bulk_fetch(part, ("project",))).issues
        except ONE_SICK:
            continue
        found |= {key: issue for raw in shown if (key := key_of(raw)) and (issue := id_of(raw))}
    return found


async def compared_with_log(log: EventLog, message: CompareIssues) -> Append:
    """What is on one side only, in pages for the steps that ask about it."""
    project, run_id = project_of(message), message.run_id
    names = CensusNames(project)
    stored = await log.checkpoint(names.listing(run_id))
    listing = msgspec.json.decode(stored, type=Listing) if stored else None
    on_list = [issue for page in (await log.checkpoints(names.listed(run_id))).values() for issue in ids_in(page)]
    present = await log.present(*project)
    lost = await _lost(log, project)
    sides = compared(on_list, present, lost)
    missing = sides.missing
    if listing is not None:
        missing = await _not_seen_since(log, project, missing, listing.started_at)
    seen_since = len(sides.missing) - len(missing)
    held = message.survey.standing is not Standing.SHOWN and not message.plan.accept
    asked = [] if held or (len(missing) > MOST_CONFIRMED and not message.plan.accept) else missing
    left_to_sync = message.plan.leave_to_sync or len(sides.lacking) > MOST_FETCHED
    lacking = in_order(sides.lacking)
    read = [] if left_to_sync else lacking
    gone = await log.absent(*project) if lacking else {}
    comparison = Comparison(
        listed=len(on_list),
        nameless=listing.nameless if listing else 0,
        here=len(present),
        seen_since=seen_since,
        lacking=len(pages(read, PAGE)),
        missing=len(pages(asked, CONFIRMED_AT_ONCE)),
        left_to_sync=left_to_sync,
    )
    return Append(
        checkpoints={
            **_in_pages(names.lacking(run_id), read, PAGE),
            **_in_pages(names.missing(run_id), asked, CONFIRMED_AT_ONCE),
            f"{names.left(run_id)}/lacking": as_stored(lacking if left_to_sync else []),
            f"{names.left(run_id)}/missing": as_stored([] if asked else missing),
            names.gone_before(run_id): msgspec.json.encode({one: gone[one] for one in lacking if one in gone}),
            **_asked_for_sync(project, message, len(sides.lacking)),
        },
        outcome=msgspec.json.encode(comparison),
    )


async def _lost(log: EventLog, project: ProjectKey) -> list[str]:
    """Issues of which an event is not in the log any more, or one of a comment or worklog of theirs.

    They are read again, and their digests are forgotten, so that what Jira shows is stored although it has not changed.
    """
    issues, children = await log.lost_heads(*project), await log.lost_children(*project)
    streams = [JiraIssueFetched.stream_of(project.site, issue) for issue in issues]
    streams += [stream for of_issue in children.values() for stream in of_issue]
    if streams:
        await log.forget_digests(streams)
    return in_order({*issues, *children})


async def _not_seen_since(log: EventLog, project: ProjectKey, issues: Sequence[str], since: datetime) -> list[str]:
    """Those of which Jira has shown nothing new since then: the others have come after the list was begun."""
    streams = {issue: JiraIssueFetched.stream_of(project.site, issue) for issue in issues}
    heads = await log.heads(list(streams.values()))
    begun = since.astimezone(UTC).isoformat(timespec="microseconds")
    return [issue for issue, stream in streams.items() if stream not in heads or heads[stream].asked < begun]


def _in_pages(prefix: str, ids: Sequence[str], size: int) -> dict[str, bytes]:
    return {numbered(prefix, number): as_stored(list(part)) for number, part in enumerate(pages(ids, size))}


def _asked_for_sync(project: ProjectKey, message: CompareIssues, lacking: int) -> Mapping[str, bytes]:
    if message.plan.leave_to_sync or lacking <= MOST_FETCHED:
        return {}
    return full_run(CheckpointNames(project), "census", f"the census misses {lacking:,} issues")
