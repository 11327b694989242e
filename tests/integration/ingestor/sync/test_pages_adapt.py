"""Pages that are too much for Jira or a gateway are read all the same; one sick issue costs itself alone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from libs.events import Append, EventStore, JiraIssueFetched, ProjectKey
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_client.pages import REPEATED_PAGES
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import Counts, FetchPage, PageResult, PageSource, PrepareScan, RunFields, Scan, SyncPlan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync import step
from services.ingestor.sync.activities import SyncActivities
from tests.unit.libs.jira_client.loopback import Asked, client, json, serving

RUN: RunFields = {"site": "acme", "project": "DEMO", "run_id": "run-1"}
NAMES = CheckpointNames(ProjectKey("acme", "DEMO"))
BULK, SEARCH = "/issue/bulkfetch", "/search/jql"
ISSUES = 120
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=ISSUES, seed=5)) as serving:
        yield serving


class Site(NamedTuple):
    """The steps of one run, and what came of them."""

    sync: SyncActivities
    jira: JiraClient
    simulator: Simulator
    store: EventStore

    async def scan(self, plan: SyncPlan) -> Scan:
        return await ActivityEnvironment().run(self.sync.prepare_scan, PrepareScan(**RUN, plan=plan))

    async def page(self, message: FetchPage) -> PageResult:
        return await ActivityEnvironment().run(self.sync.fetch_and_record_page, message)

    async def full(self) -> list[PageResult]:
        """All pages of a full run."""
        scan = await self.scan(FULL)
        messages = [
            FetchPage(**RUN, plan=FULL, scan=scan, page=page, source=PageSource.IDS) for page in range(scan.pages)
        ]
        return [await self.page(message) for message in messages]

    async def incremental(self) -> list[PageResult]:
        """All pages of a search."""
        scan, results, token = await self.scan(SINCE), list[PageResult](), None
        while token or not results:
            message = FetchPage(**RUN, plan=SINCE, scan=scan, page=len(results), source=PageSource.SEARCH, token=token)
            results.append(await self.page(message))
            token = results[-1].next_token
        return results

    async def owed(self, *ids: str) -> PageResult:
        """The page of issues that earlier runs owe."""
        plan = plan_of(LONG_AGO, ids)
        for issue in ids:
            self.store.append(Append(checkpoints={f"{NAMES.unfinished}{issue}": b""}))
        scan = await self.scan(plan)
        return await self.page(FetchPage(**RUN, plan=plan, scan=scan, page=-1, source=PageSource.RETRY))

    @property
    def stored(self) -> set[str]:
        return {one.event.issue_id for one in self.store.read(0, 10_000) if isinstance(one.event, JiraIssueFetched)}

    @property
    def still_owed(self) -> set[str]:
        return {name.removeprefix(NAMES.unfinished) for name in self.store.checkpoints(NAMES.unfinished)}

    @property
    def ids(self) -> list[str]:
        return [str(number) for number in self.simulator.dataset.issues]

    def asked(self, path: str) -> int:
        return sum(path in asked.path for asked in self.simulator.requests.asked)


def plan_of(since: datetime | None, owed: tuple[str, ...] = ()) -> SyncPlan:
    return SyncPlan(
        full=since is None, since=since, account_ids=(), trailing=False, started_at=LONG_AGO, retry_issue_ids=owed
    )


FULL, SINCE = plan_of(None), plan_of(LONG_AGO)


@pytest.fixture
async def site(store: EventStore, simulator: Simulator) -> AsyncIterator[Site]:
    settings = JiraSettings(
        base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, retry_base_seconds=0.01
    )
    with contextlib.closing(EventLog(store)) as event_log:
        async with JiraClient(settings) as jira:
            yield Site(SyncActivities(event_log, jira), jira, simulator, store)


TOO_MUCH: dict[str, dict[str, Any]] = {
    "413": {"status": 413},
    "504": {"status": 504},
    "500": {"status": 500},
    "the page of an outage": {"kind": "html", "status": 502},
    "half an answer": {"kind": "truncate"},
    "nothing": {"kind": "empty"},
    "a connection cut": {"kind": "reset"},
}


@pytest.mark.parametrize("how", TOO_MUCH)
@pytest.mark.parametrize("over", [60, 7])
async def test_a_full_run_reads_what_is_too_much_in_smaller_pages(how: str, over: int, site: Site) -> None:
    site.simulator.faults.add(Fault(match=BULK, always=True, over=over, **TOO_MUCH[how]))
    results = await site.full()
    assert site.stored == set(site.ids)
    assert [result.warnings for result in results] == [(), ()]
    refused = sum(asked.fault is not None for asked in site.simulator.requests.asked)
    assert refused <= 4, "the second page knows what the first has learned"


@pytest.mark.parametrize("how", TOO_MUCH)
@pytest.mark.parametrize("over", [60, 7])
async def test_a_search_page_that_is_too_much_is_read_by_its_ids(how: str, over: int, site: Site) -> None:
    site.simulator.faults.add(Fault(match=f"{BULK}|{SEARCH}", always=True, over=over, **TOO_MUCH[how]))
    results = await site.incremental()
    assert site.stored == set(site.ids)
    assert [result.counts.issues for result in results] == [100, 20]
    assert not any(result.warnings for result in results)


async def test_a_search_that_gives_no_page_of_ids_gives_fewer(site: Site) -> None:
    refused = Fault(match=SEARCH, always=True, about=r'"maxResults":(100|[3-9]\d)\b', status=504)
    site.simulator.faults.add(refused)
    results = await site.incremental()
    assert site.stored == set(site.ids)
    assert [result.counts.issues for result in results] == [25] * 4 + [20]
    assert refused.hits == 4, "one with all fields, and a call of three tries: then it is known"


@pytest.mark.parametrize(
    ("slow", "limits"),
    [
        ({"delay_ms": 2000}, {"read_seconds": 0.4}),
        ({"kind": "slow_body", "delay_ms": 4000}, {"total_seconds": 0.6}),
    ],
)
@pytest.mark.parametrize("full", [True, False])
async def test_a_page_that_jira_is_too_slow_for_is_read_in_smaller_ones(
    full: bool, slow: dict[str, Any], limits: dict[str, float], store: EventStore, simulator: Simulator
) -> None:
    settings = JiraSettings(
        base_url=simulator.base_url,
        email=EMAIL,
        token=TOKEN,
        allow_insecure=True,
        **limits,  # type: ignore[arg-type]
    )
    simulator.faults.add(Fault(match=f"{BULK}|{SEARCH}", always=True, over=60, **slow))
    with contextlib.closing(EventLog(store)) as event_log:
        async with JiraClient(settings) as jira:
            site = Site(SyncActivities(event_log, jira), jira, simulator, store)
            results = await (site.full() if full else site.incremental())
    assert [result.counts.issues for result in results] == [100, 20]
    assert site.stored == set(site.ids)


async def test_an_answer_too_large_for_us_is_read_in_parts(store: EventStore, simulator: Simulator) -> None:
    settings = JiraSettings(
        base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, max_body_bytes=200_000
    )
    with contextlib.closing(EventLog(store)) as event_log:
        async with JiraClient(settings) as jira:
            site = Site(SyncActivities(event_log, jira), jira, simulator, store)
            await site.incremental()
            assert not jira.page_size.whole
    assert site.stored == set(site.ids)


@pytest.mark.parametrize("status", [400, 403, 404, 500, 504])
@pytest.mark.parametrize("place", [0, 57])
async def test_a_sick_issue_is_owed_and_named(status: int, place: int, site: Site) -> None:
    sick = site.ids[place]
    site.simulator.faults.add(Fault(match=BULK, about=f'"{sick}"', always=True, status=status))
    warnings = [warning for result in await site.full() for warning in result.warnings]
    assert site.stored == set(site.ids) - {sick}
    assert len(warnings) == 1
    assert sick in warnings[0]
    assert site.still_owed == (set() if status == 404 else {sick})
    site.simulator.faults.clear()
    if status != 404:
        assert (await site.owed(sick)).warnings == ()
        assert (site.still_owed, site.stored) == (set(), set(site.ids))


async def test_the_only_issue_of_a_search_may_be_the_sick_one(site: Site) -> None:
    sick = site.ids[3]
    scan, plan = await site.scan(SINCE), plan_of(datetime.now(UTC))
    site.simulator.mutations.edit_issue(sick, summary="changed")
    site.simulator.faults.add(
        Fault(match=SEARCH, always=True, over=1, status=500),
        Fault(match=BULK, about=f'"{sick}"', always=True, status=500),
    )
    result = await site.page(FetchPage(**RUN, plan=plan, scan=scan, page=0, source=PageSource.SEARCH))
    assert (result.counts.issues, site.still_owed) == (0, {sick})
    assert result.warnings == (
        f"Issue {sick}, asked for alone, could not be read: Jira answered 500: "
        "Simulated failure with status 500. The next run asks again",
    )


async def test_a_search_that_shows_the_same_under_fresh_tokens_ends(store: EventStore) -> None:
    asked_so_far: list[Asked] = []

    def handle(asked: Asked) -> web.Response:
        asked_so_far.append(asked)
        issue = {"id": "1", "key": "DEMO-1", "fields": {"updated": "2026-01-01T00:00:00.000+0000"}}
        return json({"issues": [issue], "nextPageToken": f"t{len(asked_so_far)}", "isLast": False})

    scan = Scan(scan_started_at=LONG_AGO, sprint_field=None, pages=0, counts=Counts())
    with contextlib.closing(EventLog(store)) as event_log:
        async with serving(handle) as server, client(server.url) as jira:
            sync = SyncActivities(event_log, jira)

            async def page(number: int) -> PageResult:
                message = FetchPage(
                    **RUN, plan=SINCE, scan=scan, page=number, source=PageSource.SEARCH, token=f"t{number}"
                )
                return await ActivityEnvironment().run(sync.fetch_and_record_page, message)

            for number in range(REPEATED_PAGES):
                await page(number)
            with pytest.raises(ApplicationError, match="the same issues again") as caught:
                await page(REPEATED_PAGES)
    assert (caught.value.type, caught.value.non_retryable) == ("BAD_RESPONSE", True)


async def test_where_jira_is_sick_as_a_whole_the_page_fails_after_few_requests(site: Site) -> None:
    scan = await site.scan(FULL)
    site.simulator.faults.add(Fault(match="/rest/", always=True, status=503))
    site.simulator.requests.reset()
    with pytest.raises(Exception, match="Jira answered 503"):
        await site.page(FetchPage(**RUN, plan=FULL, scan=scan, page=0, source=PageSource.IDS))
    assert site.simulator.requests.count <= 12
    assert site.jira.page_size.whole


@pytest.mark.parametrize("status", [400, 403, 404, 413, 500, 504])
async def test_what_is_owed_never_ends_a_run(status: int, site: Site) -> None:
    ids = site.ids[:60]
    site.simulator.faults.add(Fault(match=BULK, about=f'"{ids[30]}"', always=True, status=status))
    result = await site.owed(*ids)
    assert site.stored == set(ids) - {ids[30]}
    assert ids[30] in "".join(result.warnings)
    assert site.still_owed == (set() if status == 404 else {ids[30]})


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_nor_do_owed_issues_of_which_none_comes(status: int, site: Site) -> None:
    site.simulator.faults.add(Fault(match=BULK, always=True, status=status))
    result = await site.owed(*site.ids[:60])
    assert len(result.warnings) == 2
    assert site.still_owed == set(site.ids[:60])
    asked_alone = [name for name, debt in site.store.checkpoints(NAMES.unfinished).items() if debt]
    assert len(asked_alone) == 1, "the others keep their place in the queue"


async def test_what_is_read_when_the_time_is_over_is_kept_and_the_rest_is_the_next_part(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = await site.scan(FULL)
    site.simulator.faults.add(Fault(match=BULK, always=True, over=30, status=504))
    monkeypatch.setattr(step, "STEP_SECONDS", 30)
    message = FetchPage(**RUN, plan=FULL, scan=scan, page=0, source=PageSource.IDS)
    first = await site.page(message)
    assert (first.counts.issues, first.left, len(site.stored)) == (25, 75, 25)
    assert await site.page(message) == first
    results = [first]
    while results[-1].left:
        part = FetchPage(**RUN, plan=FULL, scan=scan, page=0, source=PageSource.IDS, part=len(results))
        results.append(await site.page(part))
    assert [result.left for result in results] == [75, 50, 25, 0]
    assert len(site.stored) == 100
    assert [
        key for key in ("page:run-1:0", "page:run-1:0:1", "page:run-1:0:3") if site.store.outcome(key) is None
    ] == []


async def test_a_page_of_a_search_keeps_its_token_when_it_comes_in_parts(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = await site.scan(SINCE)
    site.simulator.faults.add(Fault(match=f"{BULK}|{SEARCH}", always=True, over=50, status=504))
    monkeypatch.setattr(step, "STEP_SECONDS", 30)
    first = await site.page(FetchPage(**RUN, plan=SINCE, scan=scan, page=0, source=PageSource.SEARCH))
    assert first.next_token
    assert first.left == 50
    rest = await site.page(FetchPage(**RUN, plan=SINCE, scan=scan, page=0, source=PageSource.SEARCH, part=1))
    assert (rest.left, rest.next_token, len(site.stored)) == (0, None, 100)


async def test_a_step_that_is_too_slow_ends_by_its_own_clock_and_says_what_it_waits_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "STEP_SECONDS", 0.3)
    site.simulator.faults.add(Fault(match="/myself", always=True, delay_ms=1000))
    with pytest.raises(ApplicationError, match=r"still waiting for GET /rest/api/3/myself") as caught:
        await site.scan(SINCE)
    assert (caught.value.type, caught.value.non_retryable) == ("TIMEOUT", False)
    failure = caught.value.details[0]
    assert (failure["endpoint"], "JIRA_PAGE_SIZE" in failure["advice"]) == ("GET /rest/api/3/myself", True)


async def test_on_a_healthy_site_nothing_more_is_asked(site: Site) -> None:
    await site.full()
    assert (site.asked(BULK), site.asked(SEARCH)) == (2, 1)
    site.simulator.requests.reset()
    await site.owed(site.ids[0])
    assert (site.asked(BULK), site.asked(SEARCH)) == (1, 0)


async def test_the_size_of_pages_is_a_setting(store: EventStore, simulator: Simulator) -> None:
    settings = JiraSettings(
        base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, issue_page_size=40
    )
    with contextlib.closing(EventLog(store)) as event_log:
        async with JiraClient(settings) as jira:
            site = Site(SyncActivities(event_log, jira), jira, simulator, store)
            assert [result.counts.issues for result in await site.full()] == [40, 40, 40]
            simulator.requests.reset()
            await site.owed(*site.ids[:90])
            assert site.asked(BULK) == 3
