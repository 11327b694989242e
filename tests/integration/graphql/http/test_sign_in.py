"""Signing in to the console, what its cookie is good for, and what no page of another origin can do with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from libs.access import Role
from services.graphql.http.hosts import Hosts
from services.graphql.http.throttle import AT_ONCE
from tests.integration.graphql.api.access_service import Service, serving

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as running:
        yield running


async def test_the_cookie_is_for_the_browser_alone(service: Service) -> None:
    response = await service.sign_in(service.secrets[Role.READER])
    assert response.status == 204
    cookie = SimpleCookie(response.headers["Set-Cookie"])["jdi_session"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "")
    assert cookie["max-age"] == "43200"
    assert not cookie["secure"]  # a browser would not send it back over plain HTTP
    assert cookie.value not in service.secrets[Role.READER]


async def test_behind_tls_the_cookie_is_bound_to_it(tmp_path: Path) -> None:
    async with serving(tmp_path, Hosts(named=("jdi.example",), behind_proxy=True)) as service:
        response = await service.sign_in(service.secrets[Role.READER], Host="jdi.example")
        cookie = SimpleCookie(response.headers["Set-Cookie"])["__Host-jdi_session"]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
        assert (cookie["path"], cookie["domain"]) == ("/", "")


async def test_the_session_is_known_by_the_name_of_its_token(service: Service) -> None:
    cookie = await service.cookie(Role.OPERATOR)
    assert await service.who(cookie | SAME) == "the operator"
    assert await service.who(cookie | {"Origin": service.url}) == "the operator"


@pytest.mark.parametrize(
    "said",
    [
        {},  # neither header: no browser of today
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of the same name
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/graphql"), ("POST", "/console/session"), ("DELETE", "/console/session")]
)
async def test_no_foreign_page_can_use_the_session(
    service: Service, method: str, path: str, said: dict[str, str]
) -> None:
    cookie = await service.cookie(Role.ADMIN)
    body = {"query": "{ viewer { name } }", "token": service.secrets[Role.READER]}
    async with service.http.request(method, f"{service.url}{path}", json=body, headers=cookie | said) as response:
        assert response.status == 403
        assert "Set-Cookie" not in response.headers
    assert await service.who(cookie | SAME) == "the admin"


async def test_a_form_of_another_page_changes_nothing(service: Service) -> None:
    cookie = await service.cookie(Role.ADMIN)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {**cookie, **SAME, "Content-Type": kind}
        async with service.http.post(
            f"{service.url}/graphql", data=b'{"query": "{ viewer { name } }"}', headers=headers
        ) as response:
            assert response.status == 400


async def test_the_header_decides_where_there_is_one(service: Service) -> None:
    cookie = await service.cookie(Role.ADMIN)
    assert await service.who(cookie | service.bearer()) == "the reader"
    assert await service.who({**cookie, **SAME, "Authorization": "Bearer nonsense"}) == 401


async def test_signing_out_ends_the_session(service: Service) -> None:
    cookie = await service.cookie()
    async with service.http.delete(f"{service.url}/console/session", headers=cookie | SAME) as response:
        assert response.status == 204
        assert SimpleCookie(response.headers["Set-Cookie"])["jdi_session"]["max-age"] == "0"
    status, answer = await service.ask(headers=cookie | SAME)
    assert (status, answer["errors"][0]["message"]) == (401, "The session is over. Sign in again.")


async def test_the_session_ends_with_its_token(service: Service) -> None:
    token, secret = service.tokens.create("ann", Role.READER, by="test")
    cookie = {"Cookie": (await service.sign_in(secret)).headers["Set-Cookie"].partition(";")[0]}
    assert await service.who(cookie | SAME) == "ann"
    service.tokens.revoke(token.id, by="test")
    assert await service.who(cookie | SAME) == 401


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"token": 1}', b'{"token": ""}', b"\xff", b"[" * 50_000])
async def test_what_is_no_sign_in_is_said(service: Service, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with service.http.post(f"{service.url}/console/session", data=body, headers=headers) as response:
        assert response.status == 400
        assert "token" in (await response.json())["errors"][0]["message"]


async def test_a_wrong_token_is_refused_without_a_cookie(service: Service) -> None:
    response = await service.sign_in("nonsense")
    assert (response.status, "Set-Cookie" in response.headers) == (401, False)
    assert (await response.json())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_whoever_fails_too_often_has_to_wait(service: Service) -> None:
    for _ in range(3):
        assert (await service.sign_in(service.secrets[Role.READER])).status == 204  # does not count
    statuses = [(await service.sign_in("nonsense")).status for _ in range(AT_ONCE + 2)]
    assert statuses == [401] * AT_ONCE + [429] * 2
    response = await service.sign_in("nonsense")
    assert 0 < int(response.headers["Retry-After"]) <= 30
    assert await service.who(service.bearer()) == "the reader"  # programs are not locked out with them


async def test_a_right_token_gets_in_however_many_wrong_ones_came_from_its_address(service: Service) -> None:
    flood = [asyncio.create_task(service.sign_in("nonsense")) for _ in range(AT_ONCE * 5)]
    right = [asyncio.create_task(service.sign_in(service.secrets[Role.READER])) for _ in range(3)]
    answers = await asyncio.gather(*flood)
    assert [answer.status for answer in answers].count(401) == AT_ONCE
    assert {answer.status for answer in answers} == {401, 429}
    assert {answer.status for answer in await asyncio.gather(*right)} == {204}
    assert (await service.sign_in(service.secrets[Role.READER])).status == 204
    assert (await service.sign_in("nonsense")).status == 429


async def test_behind_a_proxy_each_address_fails_for_itself(tmp_path: Path) -> None:
    async with serving(tmp_path, Hosts(behind_proxy=True)) as service:
        for _ in range(AT_ONCE):
            await service.sign_in("nonsense", **{"X-Forwarded-For": "made up, 10.0.0.1"})
        assert (await service.sign_in("nonsense", **{"X-Forwarded-For": "other, 10.0.0.1"})).status == 429
        assert (await service.sign_in("nonsense", **{"X-Forwarded-For": "made up, 10.0.0.2"})).status == 401
