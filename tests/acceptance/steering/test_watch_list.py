"""A watch list decides what of a project is synced: who joins brings their history, who leaves takes theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from libs.events import EventStore, TrackedUsersChanged
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import IssueRecord
from libs.read_tables import comment, gone, issue, tracked_user, worklog
from libs.temporal.commands import CommandRefusedError, JiraRefusedError
from libs.temporal.messages import RequestSync, SetTrackedUsers
from services.projector.rebuild import rebuild
from tests.acceptance.steering.control import Desk
from tests.acceptance.sync.pipeline import running
from tests.servers.addresses import TemporalServer, sqlite_log

ISSUES = 240


class Watched:
    """A project with a watch list, beside the simulated Jira's own data."""

    def __init__(self, desk: Desk, jira: Simulator) -> None:
        self.desk, self.jira = desk, jira

    def parts(self, record: IssueRecord) -> set[str]:
        """Who has a part in an issue, read from Jira's own data."""
        people = {record.issue.assignee, record.issue.reporter, *(entry.author for entry in record.worklogs)}
        return {person for person in people if person is not None}

    def of(self, *accounts: str) -> dict[str, IssueRecord]:
        """The issues in which one of the accounts has a part; all of them when none is named."""
        return {
            str(record.issue.id): record
            for record in self.jira.dataset.issues.values()
            if not accounts or self.parts(record) & set(accounts)
        }

    def by_share(self) -> list[str]:
        """Accounts that have a part in some issues, most first."""
        accounts = {person for record in self.jira.dataset.issues.values() for person in self.parts(record)}
        return sorted(accounts, key=lambda account: (-len(self.of(account)), account))

    async def track(self, *accounts: str) -> None:
        """Set the list, wait until the sync that it starts has ended, and bring the tables up to date."""
        done = await self.desk.do(SetTrackedUsers, account_ids=accounts)
        if done.request_id is not None:
            await self.desk.pipeline.ended(done.request_id)
        await self.desk.pipeline.project_all()

    async def sync(self, *, full: bool = False) -> None:
        done = await self.desk.do(RequestSync, full=full)
        assert done.request_id is not None
        await self.desk.pipeline.ended(done.request_id)
        await self.desk.pipeline.project_all()

    def check(self, *accounts: str, left: set[str] | None = None) -> None:
        """The tables show what these accounts have a part in, whole, and nothing else.

        `left`: what has been shown before and must be marked as untracked now.
        """
        wanted = self.of(*accounts)
        with self.desk.pipeline.tables.connect() as connection:
            assert set(connection.execute(select(issue.c.issue_id)).scalars()) == set(wanted)
            assert set(connection.execute(select(comment.c.comment_id)).scalars()) == {
                str(one.id) for record in wanted.values() for one in record.comments
            }
            assert set(connection.execute(select(worklog.c.worklog_id)).scalars()) == {
                str(one.id) for record in wanted.values() for one in record.worklogs
            }
            absent = {(row.entity_id, row.reason) for row in connection.execute(select(gone))}
            assert absent == {(one, "UNTRACKED") for one in (left or set())}
            assert set(connection.execute(select(tracked_user.c.account_id)).scalars()) == set(accounts)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """The tests below this level run on both databases; what is tested here is the same on either."""
    return sqlite_log(tmp_path)


@pytest.fixture
async def watched(store: EventStore, temporal: TemporalServer) -> AsyncIterator[Watched]:
    async with (
        serve(Dataset.generate(issues=ISSUES)) as jira,
        running(store, temporal.address, jira) as pipeline,
    ):
        yield Watched(Desk(pipeline), jira)


async def test_who_joins_brings_their_history_and_who_leaves_takes_theirs(watched: Watched) -> None:
    desk = watched.desk
    first, second, *_ = watched.by_share()
    await desk.pipeline.register()
    await desk.pipeline.project_all()
    watched.check()
    everything = set(watched.of())

    await watched.track(first)
    watched.check(first, left=everything - set(watched.of(first)))

    await watched.track(first, second)
    watched.check(first, second, left=everything - set(watched.of(first, second)))
    shared = set(watched.of(first)) & set(watched.of(second))
    assert shared, "the data must have issues that both have a part in"

    await watched.track(second)
    watched.check(second, left=everything - set(watched.of(second)))

    await watched.track()
    watched.check()
    changes = [event for event in desk.events() if isinstance(event, TrackedUsersChanged)]
    assert [(event.added, event.removed) for event in changes] == [
        ((first,), ()),
        ((second,), ()),
        ((), (first,)),
        ((), (second,)),
    ]


async def test_a_list_that_comes_short_once_costs_nobody_an_issue(watched: Watched) -> None:
    first, *_ = watched.by_share()
    await watched.desk.pipeline.register()
    await watched.track(first)
    hidden = set(watched.of()) - set(watched.of(first))
    for record in list(watched.of(first).values())[:20]:
        watched.jira.mutations.edit_issue(str(record.issue.id), summary="changed")
    short = Fault(
        match="/search/jql",
        about=r'project = .*assignee in.*"fields":\s*\["id"\]',
        status=200,
        body={"issues": [], "isLast": True},
    )
    watched.jira.faults.add(short)
    await watched.sync()
    assert short.hits == 1
    watched.check(first, left=hidden)


async def test_a_list_from_the_start_reads_only_theirs(watched: Watched) -> None:
    _, second, *_ = watched.by_share()
    await watched.desk.register(account_ids=(second,))
    await watched.desk.pipeline.ended(None)
    await watched.desk.pipeline.project_all()
    watched.check(second)


async def test_an_issue_that_leaves_the_list_by_itself_is_seen_to_leave_and_to_return(watched: Watched) -> None:
    first, *others = watched.by_share()
    await watched.desk.pipeline.register()
    await watched.track(first)
    record = next(
        record
        for record in watched.of(first).values()
        if record.issue.assignee == first and record.issue.reporter != first and not record.worklogs
    )
    stranger = next(other for other in others if other not in watched.parts(record))
    hidden = set(watched.of()) - set(watched.of(first))

    watched.jira.mutations.edit_issue(str(record.issue.id), assignee=stranger)
    await watched.sync()
    watched.check(first, left=hidden | {str(record.issue.id)})

    watched.jira.mutations.edit_issue(str(record.issue.id), assignee=first)
    await watched.sync()
    watched.check(first, left=hidden)


async def test_an_idle_sync_and_a_repeated_list_record_nothing(watched: Watched) -> None:
    first, *_ = watched.by_share()
    await watched.desk.pipeline.register()
    await watched.track(first)
    facts = facts_in(watched.desk.pipeline.store)
    await watched.sync(full=True)
    await watched.sync()
    await watched.track(first)
    assert facts_in(watched.desk.pipeline.store) == facts
    assert len([event for event in watched.desk.events() if isinstance(event, TrackedUsersChanged)]) == 1


async def test_a_rebuild_gives_the_same(watched: Watched) -> None:
    first, *_ = watched.by_share()
    await watched.desk.pipeline.register()
    await watched.track(first)
    before = rows(watched)
    rebuild(watched.desk.pipeline.store, watched.desk.pipeline.tables, _Never())
    assert rows(watched) == before


async def test_an_account_that_jira_does_not_know_is_refused(watched: Watched) -> None:
    await watched.desk.pipeline.register()
    with pytest.raises(CommandRefusedError, match="no account nobody") as refused:
        await watched.track(watched.by_share()[0], "nobody")
    assert (refused.value.code, refused.value.field) == ("UNKNOWN_ACCOUNT", "accountIds")
    assert watched.desk.state().tracked == ()


async def test_a_jira_that_refuses_leaves_the_list_as_it_was(watched: Watched) -> None:
    await watched.desk.pipeline.register()
    watched.jira.faults.add(Fault(match="/user/bulk", always=True, status=401))
    with pytest.raises(JiraRefusedError) as refused:
        await watched.track(watched.by_share()[0])
    assert refused.value.code == "AUTH_EXPIRED"
    assert refused.value.advice
    assert watched.desk.state().tracked == ()


def facts_in(store: EventStore) -> int:
    kinds = ("JiraIssueFetched.v1", "JiraCommentFetched.v1", "WorklogFetched.v1", "JiraIssueGone.v1")
    return len(store.read(0, 1_000_000, kinds))


def rows(watched: Watched) -> list[list[tuple[object, ...]]]:
    with watched.desk.pipeline.tables.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in (issue, comment, worklog, gone, tracked_user)
        ]


class _Never:
    def is_set(self) -> bool:
        return False
