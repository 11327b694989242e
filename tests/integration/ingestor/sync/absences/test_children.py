"""Comments and worklogs that an issue does not show any more: gone where that is proved, and never where it is not."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
import pytest
from msgspec import Raw

from libs.events import (
    Append,
    Change,
    EventStore,
    Held,
    JiraCommentGone,
    JiraIssueGone,
    ProjectKey,
    WorklogGone,
    migrate,
    open_store,
)
from libs.jira_client import JiraClient, JiraSettings, Listed, RequestCount
from libs.jira_client.http.pace import Limits, Pulse
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site import sight
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.random_acts import RandomActs
from libs.temporal.messages import Counts, FetchPage, PageResult, PageSource, RunFields, Scan, SyncPlan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync import pages
from tests.acceptance.odd.runs import MovedTime
from tests.acceptance.seeds import seeds_of
from tests.conftest import BOTH_DATABASES
from tests.integration.ingestor.sync.test_owed_issues import Jira, issue

SITE: Final = "acme"
RUN: RunFields = {"site": SITE, "project": "DEMO", "run_id": "run-1"}
NAMES = CheckpointNames(ProjectKey(SITE, "DEMO"))
VANISHING: Final = ("lose_comment", "restore_comment", "lose_worklog", "restore_worklog", "add_comment", "add_worklog")
ODD: Final = ("comment", "worklog", "comments", "worklogs", "inline comments", "inline worklogs")
"""Records that may be odd."""


async def read(log: EventLog, jira: JiraClient, ids: Sequence[str]) -> PageResult:
    """The answer of a page of these issues, which is stored."""
    await log.append(await fetched(log, jira, ids))
    return PageResult(counts=Counts())


async def fetched(log: EventLog, jira: Any, ids: Sequence[str]) -> Append:
    now = datetime.now(UTC)
    plan = SyncPlan(full=True, since=None, account_ids=(), trailing=True, started_at=now)
    await log.append(Append(checkpoints={NAMES.page("run-1", 0): ",".join(ids).encode()}))
    scan = Scan(scan_started_at=now, sprint_field=None, pages=1, counts=Counts())
    message = FetchPage(**RUN, plan=plan, scan=scan, page=0, source=PageSource.IDS)
    return await pages.fetched(cast("JiraClient", jira), log, message, RequestCount())


@asynccontextmanager
async def site(seed: int) -> AsyncIterator[tuple[Simulator, JiraClient]]:
    data = Dataset.generate(issues=12, seed=seed, users=5, comments_per_issue=4, worklogs_per_issue=4)
    async with serve(data, inline=4, feed_page=4, compress=False) as simulator:
        settings = JiraSettings(
            base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, child_page_size=3
        )
        time = MovedTime()
        limits = Limits(
            requests_per_second=settings.requests_per_second,
            burst=settings.burst,
            max_concurrency=settings.max_concurrency,
            longest_wait_seconds=settings.longest_wait_seconds,
            pulse=Pulse(monotonic=time.monotonic, sleep=time.sleep, chance=random.Random(seed)),
        )
        async with JiraClient(settings, limits=limits) as jira:
            yield simulator, jira


@contextlib.contextmanager
def log_at(url: str) -> Any:
    migrate(url)
    with contextlib.closing(open_store(url)) as store, contextlib.closing(EventLog(store)) as log:
        yield store, log


def shown(simulator: Simulator) -> dict[str, tuple[set[str], set[str]]]:
    circles = simulator.dataset.directory.circles
    return {
        str(number): (
            {str(one.id) for one in sight.shown(record.comments, circles)},
            {str(one.id) for one in sight.shown(record.worklogs, circles)},
        )
        for number, record in simulator.dataset.issues.items()
    }


def stored(store: EventStore, ids: Sequence[str]) -> dict[str, tuple[set[str], set[str]]]:
    held = store.inventory_of(SITE, ids)
    return {one: (set(held[one].comments), set(held[one].worklogs)) for one in held}


@pytest.mark.parametrize("database", BOTH_DATABASES)
@pytest.mark.parametrize("seed", seeds_of("CHILDREN_SEEDS", 2))
async def test_what_is_stored_is_what_the_site_shows(
    seed: int, database: str, tmp_path: Any, request: pytest.FixtureRequest
) -> None:
    url = (
        f"sqlite:///{tmp_path}/jdi.db" if database == "sqlite" else request.getfixturevalue("postgres").fresh_database()
    )
    chance = random.Random(seed)
    async with site(seed) as (simulator, jira):
        acts = RandomActs(simulator.dataset, simulator.mutations, seed)
        ids = [str(number) for number in simulator.dataset.issues]
        with log_at(url) as (store, log):
            await read(log, jira, ids)
            for _ in range(4):
                acts.run(chance.randrange(1, 8), VANISHING)
                simulator.conditions.odd = Odd(chance.randrange(1000), 0.3, ODD) if chance.random() < 0.5 else None
                before = store.head()
                await read(log, jira, ids)
                now, here = shown(simulator), stored(store, ids)
                if simulator.conditions.odd is None:
                    assert here == now
                _none_is_wrongly_gone(store, before, now)
            simulator.conditions.odd = None
            await read(log, jira, ids)
            assert stored(store, ids) == shown(simulator)
            known = store.head()
            await read(log, jira, ids)
            assert [type(one.event).__name__ for one in store.read(known)] == ["SyncPageRecorded"]


def _none_is_wrongly_gone(store: EventStore, after: int, now: dict[str, tuple[set[str], set[str]]]) -> None:
    """Nothing that the site holds has been said to be gone since a position."""
    comments, worklogs = (set[str]().union(*(one[place] for one in now.values())) for place in (0, 1))
    told = [recorded.event for recorded in store.read(after, 100_000)]
    assert not comments & {event.comment_id for event in told if isinstance(event, JiraCommentGone)}
    assert not worklogs & {event.worklog_id for event in told if isinstance(event, WorklogGone)}


async def test_where_some_are_hidden_none_is_gone_and_their_number_is_kept(log: EventLog, store: EventStore) -> None:
    async with site(1) as (simulator, jira):
        record = next(one for one in simulator.dataset.issues.values() if len(one.comments) > 2)
        number, ids = str(record.issue.id), [str(one) for one in simulator.dataset.issues]
        first, second = (str(one.id) for one in record.comments[:2])
        await read(log, jira, ids)
        before = stored(store, ids)
        simulator.mutations.restrict_comment(number, first, "Management")
        simulator.mutations.delete_comment(number, second)
        await read(log, jira, ids)
        assert stored(store, ids) == before
        assert _restricted(store) == {number: {"comment": 1}}
        simulator.mutations.restrict_comment(number, first, None)
        await read(log, jira, ids)
        assert (stored(store, ids), _restricted(store)) == (shown(simulator), {})


def _restricted(store: EventStore) -> dict[str, dict[str, int]]:
    found = store.checkpoints(NAMES.restricted)
    return {name.removeprefix(NAMES.restricted): msgspec.json.decode(value) for name, value in found.items()}


def comments(*ids: object, **more: object) -> dict[str, object]:
    at = "2026-02-01T00:00:00.000+0000"
    return {
        "comments": [{"id": None if one is None else str(one), "updated": at} for one in ids],
        "total": len(ids),
    } | more


class Site(Jira):
    """Shows one issue, and its comments in two ways that may differ."""

    def __init__(self, inline: object, listed: Listed[Raw] | None = None) -> None:
        super().__init__(shown=["1"])
        fields = {} if inline is msgspec.UNSET else {"comment": inline}
        self.odd["1"] = issue("1", **fields)
        self.lists = 0
        ids = inline.get("comments", []) if isinstance(inline, dict) else []
        raws = [Raw(msgspec.json.encode(one)) for one in ids or []]
        self.listed["1"] = Listed(raws, total=len(raws)) if listed is None else listed

    async def all_comments(self, issue_id: str) -> Listed[Raw]:
        self.lists += 1
        return await super().all_comments(issue_id)


async def of_two(log: EventLog, store: EventStore, then: Site) -> tuple[str, ...]:
    """What is held of an issue with two comments after an answer."""
    await log.append(await fetched(log, Site(comments(7, 8)), ["1"]))
    await log.append(await fetched(log, then, ["1"]))
    return store.inventory_of(SITE, ["1"])["1"].comments


@pytest.mark.parametrize(
    "inline",
    [
        msgspec.UNSET,
        None,
        {},
        {"comments": []},
        {"comments": [], "total": None},
        comments(7, total=None),
        comments(7, total=2),
        comments(7, None),
        comments(7, 7),
        {"comments": None, "total": 0, "worklogs": None} | {"total": "none"},
    ],
    ids=lambda value: str(value)[:50],
)
async def test_a_list_that_says_no_number_or_is_not_all_readable_proves_nothing(
    inline: object, log: EventLog, store: EventStore
) -> None:
    assert await of_two(log, store, Site(inline, Listed([], cut="cut"))) == ("7", "8")


@pytest.mark.parametrize(
    "second",
    [
        Listed([], cut="cut"),
        Listed([Raw(b'{"id":"7"}')]),
        Listed([Raw(b'{"id":"7"}'), Raw(b'{"id":"8"}')], total=2),
        Listed([Raw(b'{"id":"7"}'), Raw(b"{}")], total=2),
        Listed([Raw(b'{"id":"7"}')], total=3),
    ],
    ids=["cut", "no number", "shows it", "one without an id", "more are counted"],
)
async def test_two_answers_have_to_agree(second: Listed[Raw], log: EventLog, store: EventStore) -> None:
    assert await of_two(log, store, Site(comments(7), second)) == ("7", "8")


async def test_what_two_answers_do_not_show_is_gone(log: EventLog, store: EventStore) -> None:
    assert await of_two(log, store, Site(comments(7))) == ("7",)
    (gone,) = [one.event for one in store.read(0) if isinstance(one.event, JiraCommentGone)]
    assert (gone.issue_id, gone.comment_id, gone.project) == ("1", "8", "DEMO")


async def test_a_second_answer_is_only_asked_for_where_something_is_missing(log: EventLog, store: EventStore) -> None:
    same = Site(comments(7, 8, 9))
    assert await of_two(log, store, same) == ("7", "8", "9")
    assert same.lists == 0


async def test_a_comment_that_another_run_has_seen_meanwhile_stays(log: EventLog, store: EventStore) -> None:
    await log.append(await fetched(log, Site(comments(7)), ["1"]))
    earlier = await fetched(log, Site(comments(7)), ["1"])
    later = await fetched(log, Site(comments(7, 8)), ["1"])
    await log.append(later)
    await log.append(earlier)
    again = await fetched(log, Site(comments(7)), ["1"])
    await log.append(await fetched(log, Site(comments(7, 8, updated=9)), ["1"]))
    assert store.inventory_of(SITE, ["1"])["1"].comments == ("7", "8")
    await log.append(again)
    assert store.inventory_of(SITE, ["1"])["1"].comments == ("7",), "it was asked for after the comment was stored"


async def test_a_page_that_was_asked_for_earlier_does_not_bring_it_back(log: EventLog, store: EventStore) -> None:
    await log.append(await fetched(log, Site(comments(7, 8)), ["1"]))
    late = await fetched(log, Site(comments(7, 8)), ["1"])
    await log.append(await fetched(log, Site(comments(7)), ["1"]))
    await log.append(late)
    assert store.inventory_of(SITE, ["1"])["1"].comments == ("7",)


async def test_it_comes_back_when_it_is_shown_again(log: EventLog, store: EventStore) -> None:
    assert await of_two(log, store, Site(comments(7))) == ("7",)
    await log.append(await fetched(log, Site(comments(7, 8)), ["1"]))
    assert store.inventory_of(SITE, ["1"])["1"].comments == ("7", "8")


async def test_an_issue_that_returns_has_the_comments_that_it_shows(log: EventLog, store: EventStore) -> None:
    await log.append(await fetched(log, Site(comments(7, 8)), ["1"]))
    gone = JiraIssueGone(
        **JiraIssueGone.envelope("1", ProjectKey(SITE, "DEMO"), occurred_at=datetime.now(UTC), cause="test"),
        issue_id="1",
        reason="DELETED",  # type: ignore[arg-type]
    )
    store.append(Append(changes=[Change(event=gone, digest=b"gone")]))
    await log.append(await fetched(log, Site(comments(8)), ["1"]))
    assert store.inventory_of(SITE, ["1"])["1"] == Held("DEMO", "", ("8",), ())


async def test_many_are_not_believed_gone_by_a_page_that_shows_no_other(log: EventLog, store: EventStore) -> None:
    many = range(100, 120)
    await log.append(await fetched(log, Site(comments(*many)), ["1"]))
    append = await fetched(log, Site(comments()), ["1"])
    done = await log.append(append)
    assert "they stay" in msgspec.json.decode(done.outcome, type=PageResult).warnings[0]
    assert len(store.inventory_of(SITE, ["1"])["1"].comments) == 20
    await log.append(await fetched(log, Site(comments(100)), ["1"]))
    assert store.inventory_of(SITE, ["1"])["1"].comments == ("100",)
