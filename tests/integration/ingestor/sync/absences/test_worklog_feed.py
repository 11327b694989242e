"""Worklogs that the feed names are gone when Jira does not show them by their ids either; a feed that fails is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from libs.events import Append, EventStore, WorklogGone
from libs.jira_client import JiraClient
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator
from services.ingestor.checkpoints import deleted_worklogs_checkpoint
from services.ingestor.event_log import EventLog
from services.ingestor.sync.absences import worklog_feed
from services.ingestor.sync.absences.children import Found
from services.ingestor.sync.records.translate import Origin
from tests.integration.ingestor.sync.absences.test_children import SITE, read, site

NAME = deleted_worklogs_checkpoint(SITE)


async def look(log: EventLog, jira: JiraClient, *, always: bool = True, later: float = 0) -> Found:
    at = datetime.now(UTC) + timedelta(seconds=later)
    origin = Origin(site=SITE, project="DEMO", cause="run-2", fetched_at=at)
    found = await worklog_feed.read(jira, log, origin, always=always)
    await log.append(Append(changes=found.changes, checkpoints=found.checkpoints))
    return found


async def stored(log: EventLog, jira: JiraClient, simulator: Simulator) -> list[tuple[str, str]]:
    """The issues are read, and the feed looked at for the first time; their worklogs, each with its issue."""
    simulator.conditions.feed.delay_ms = 0
    await read(log, jira, [str(number) for number in simulator.dataset.issues])
    await look(log, jira, later=-3600)
    return [
        (str(number), str(worklog.id))
        for number, record in simulator.dataset.issues.items()
        for worklog in record.worklogs
    ]


def gone(store: EventStore) -> list[tuple[str, str]]:
    told = [one.event for one in store.read(0, 100_000) if isinstance(one.event, WorklogGone)]
    return [(event.issue_id, event.worklog_id) for event in told]


async def test_a_worklog_that_was_deleted_is_gone_once(log: EventLog, store: EventStore) -> None:
    async with site(1) as (simulator, jira):
        (first, second), *_ = await stored(log, jira, simulator)
        simulator.mutations.delete_worklog(first, second, touched=False)
        await look(log, jira)
        await look(log, jira)
        assert gone(store) == [(first, second)]
        assert second not in store.inventory_of(SITE, [first])[first].worklogs
        simulator.mutations.restore_worklog(first, second, touched=False)
        await read(log, jira, [first])
        assert second in store.inventory_of(SITE, [first])[first].worklogs


async def test_what_the_feed_names_and_jira_still_shows_stays(log: EventLog, store: EventStore) -> None:
    async with site(2) as (simulator, jira):
        worklogs = await stored(log, jira, simulator)
        simulator.conditions.feed.also_deleted = [int(worklog) for _, worklog in worklogs] + [999_999]
        found = await look(log, jira)
        assert (gone(store), found.notes) == ([], ())


async def test_more_than_one_page_is_read_to_the_end(log: EventLog, store: EventStore) -> None:
    async with site(3) as (simulator, jira):
        worklogs = await stored(log, jira, simulator)
        for issue, worklog in worklogs[:9]:
            simulator.mutations.delete_worklog(issue, worklog)
        found = await look(log, jira)
        assert sorted(gone(store)) == sorted(worklogs[:9])
        assert found.notes == ()


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_feed_that_fails_is_told_and_ends_no_run(status: int, log: EventLog, store: EventStore) -> None:
    async with site(4) as (simulator, jira):
        await stored(log, jira, simulator)
        before = _reached(store)
        simulator.faults.add(Fault(match="worklog/deleted", status=status, always=True))
        found = await look(log, jira)
        assert "which worklogs were deleted" in found.notes[0]
        after = _reached(store)
        assert (after.until, after.looked_at > before.looked_at) == (before.until, True)


async def test_it_is_looked_at_by_the_first_run_after_a_quarter_of_an_hour(log: EventLog) -> None:
    async with site(5) as (simulator, jira):
        await stored(log, jira, simulator)
        await look(log, jira)
        sent = simulator.requests.count
        await look(log, jira, always=False, later=800)
        assert simulator.requests.count == sent
        await look(log, jira, always=False, later=1000)
        assert simulator.requests.count == sent + 1


async def test_the_first_look_begins_where_the_worklogs_were_read_up_to(log: EventLog, store: EventStore) -> None:
    async with site(6) as (_, jira):
        now = datetime.now(UTC)
        await look(log, jira)
        assert abs(_reached(store).until / 1000 - now.timestamp()) < 60


def _reached(store: EventStore) -> worklog_feed.Reached:
    return msgspec.json.decode(store.checkpoint(NAME) or b"", type=worklog_feed.Reached)
