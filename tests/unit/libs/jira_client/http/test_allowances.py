"""What Jira says of its limits, and what the watcher of requests hears."""

from collections.abc import Mapping

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client import JiraClient, JiraError, RequestEnded
from libs.jira_client.http.allowances import MOST, Allowance, allowances
from tests.unit.libs.jira_client.loopback import FakeTime, client, json, serving, settings

FIELDS = "GET /rest/api/3/field"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, []),
        ({"x-ratelimit-remaining": "12"}, [("burst", FIELDS, 12, None, None)]),
        ({"x-ratelimit-limit": "350", "x-ratelimit-remaining": "349"}, [("burst", FIELDS, 349, 350, None)]),
        ({"x-ratelimit-remaining": "many"}, []),
        ({"x-ratelimit-remaining": "-1"}, []),
        ({"ratelimit-policy": '"global-app-quota";q=65000;w=3600'}, [("global-app-quota", "", None, 65000, None)]),
        (
            {
                "ratelimit-policy": '"global-app-quota";q=65000;w=3600, "tenant";w=3600;q=100',
                "ratelimit": '"global-app-quota"; r=120; t=600',
            },
            [("global-app-quota", "", 120, 65000, 600), ("tenant", "", None, 100, None)],
        ),
        ({"beta-ratelimit": '"a";r=3;t=1'}, [("a", "", 3, None, 1)]),
        ({"beta-ratelimit": '"a";r=3;t=1', "ratelimit": '"a";r=4;t=2'}, [("a", "", 4, None, 2)]),
        ({"ratelimit": '"a"; r=x, "b";t=1, c'}, []),
    ],
)
def test_headers(
    headers: dict[str, str], expected: list[tuple[str, str, float | None, float | None, float | None]]
) -> None:
    assert allowances(FIELDS, headers) == tuple(Allowance(*one) for one in expected)


NAMES = ("x-ratelimit-remaining", "x-ratelimit-limit", "ratelimit", "ratelimit-policy", "beta-ratelimit")


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.from_regex(r'("[a-z]{1,3}";[rq]=\d{1,20},? ?){1,20}')))
def test_whatever_stands_there_is_read_without_trouble(headers: Mapping[str, str]) -> None:
    expected = allowances(FIELDS, headers)
    assert len(expected) <= 1 + MOST
    assert len({(one.policy, one.endpoint) for one in expected}) == len(expected)


async def test_each_try_is_told_with_its_answer() -> None:
    answers = [web.Response(status=503), json([], x_ratelimit_remaining="7")]
    ended: list[RequestEnded] = []
    async with serving(lambda _: answers.pop(0)) as server:
        made = client(server.url)
        async with JiraClient(settings(server.url), limits=made.limits, observer=ended.append) as jira:
            await jira.fields()
    assert [(one.endpoint, one.status, one.code) for one in ended] == [
        (FIELDS, 503, "UPSTREAM_ERROR"),
        (FIELDS, 200, ""),
    ]
    assert ended[1].allowances == (Allowance("burst", FIELDS, 7, None, None),)


async def test_an_answer_that_never_came_has_no_status() -> None:
    ended: list[RequestEnded] = []
    async with serving(lambda _: json([])) as server:
        gone = server.url
    made = client(gone, FakeTime())
    async with JiraClient(settings(gone), limits=made.limits, observer=ended.append) as jira:
        with pytest.raises(JiraError):
            await jira.fields()
    assert {(one.status, one.code) for one in ended} == {(None, "NETWORK_GLITCH")}
    assert len(ended) == 3
