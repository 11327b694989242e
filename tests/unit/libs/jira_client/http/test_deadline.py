"""A step of several requests: by its deadline every wait and every try has ended, and says for what."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web

from libs.jira_client import JiraTimeout, UpstreamError, deadline, seconds_left
from libs.jira_client.http import transport
from tests.unit.libs.jira_client.http.test_transport import ME, drip, silence
from tests.unit.libs.jira_client.loopback import Asked, FakeTime, client, json, serving, serving_bytes


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "GRACE", 0.1)


async def test_without_one_there_is_all_the_time() -> None:
    assert seconds_left() == float("inf")
    with deadline(5):
        assert 4 < seconds_left() <= 5
        with deadline(60):
            assert seconds_left() > 50
        assert seconds_left() <= 5
    assert seconds_left() == float("inf")


@pytest.mark.parametrize("talk", [drip, silence])
async def test_a_request_takes_what_is_left_and_the_error_names_it(talk: object) -> None:
    async with serving_bytes(talk) as url, client(url) as jira:  # type: ignore[arg-type]
        with deadline(0.2), pytest.raises(JiraTimeout, match=r"waiting for GET /rest/api/3/myself") as caught:
            await jira.myself()
    assert jira.requests == 1
    assert caught.value.evidence.endpoint == "GET /rest/api/3/myself"
    assert "JIRA_PAGE_SIZE" in caught.value.advice


async def test_after_it_nothing_is_asked() -> None:
    async with serving(lambda _: json(ME)) as server, client(server.url) as jira:
        with deadline(0), pytest.raises(JiraTimeout):
            await jira.myself()
    assert server.asked == []


async def test_tasks_that_a_step_starts_are_bound_too() -> None:
    async with serving_bytes(silence) as url, client(url) as jira:
        began = time.monotonic()
        with deadline(0.2):
            ends = await asyncio.gather(jira.myself(), jira.fields(), return_exceptions=True)
    assert [type(end) for end in ends] == [JiraTimeout, JiraTimeout]
    assert time.monotonic() - began < 5


async def test_where_no_time_is_left_for_another_try_the_failure_itself_is_told() -> None:
    async with serving(lambda _: json({}, 500)) as server, client(server.url, retry_base_seconds=60) as jira:
        with deadline(5), pytest.raises(UpstreamError):
            await jira.myself()
    assert len(server.asked) == 1


async def test_a_wait_for_a_slot_ends_by_it() -> None:
    async with serving_bytes(silence) as url, client(url, max_concurrency=1) as jira:
        blocking = asyncio.create_task(jira.fields())
        await asyncio.sleep(0.1)
        with deadline(0.2), pytest.raises(JiraTimeout, match="myself"):
            await jira.myself()
        blocking.cancel()


async def test_a_request_that_can_be_divided_leaves_time_for_the_smaller_one() -> None:
    heard: list[float] = []

    async def handle(asked: Asked) -> web.Response:
        heard.append(time.monotonic())
        if len(asked.body["issueIdsOrKeys"]) > 1:
            await asyncio.sleep(3)
        return json({"issues": []})

    async with serving(handle) as server, client(server.url) as jira:
        with deadline(1):
            with pytest.raises(JiraTimeout):
                await jira.bulk_fetch(["1", "2"], ["summary"])
            assert seconds_left() > 0.2
            assert len((await jira.bulk_fetch(["1"], ["summary"])).errors) == 1
    assert len(heard) == 2


@pytest.mark.parametrize(("ids", "asked"), [(["1", "2"], 1), (["1"], 3)])
async def test_what_can_be_divided_is_not_asked_for_again(ids: list[str], asked: int) -> None:
    async with serving(lambda _: json({}, 502)) as server, client(server.url) as jira:
        with pytest.raises(UpstreamError):
            await jira.bulk_fetch(ids, ["summary"])
    assert len(server.asked) == asked


async def test_a_limit_is_waited_for_whatever_can_be_divided() -> None:
    answers = [json({}, 429, Retry_After="1"), json({"issues": []})]
    async with serving(lambda _: answers.pop(0)) as server, client(server.url) as jira:
        await jira.bulk_fetch(["1", "2"], ["summary"])
    assert len(server.asked) == 2


async def test_a_pause_grows_as_between_tries() -> None:
    time_ = FakeTime()
    async with client("http://127.0.0.1:9", time_) as jira:
        for attempt in (1, 2, 9):
            await jira.pause(attempt)
    assert [1.4 <= time_.slept[0] <= 2.6, 2.8 <= time_.slept[1] <= 5.2, 21 <= time_.slept[2] <= 39] == [True] * 3
