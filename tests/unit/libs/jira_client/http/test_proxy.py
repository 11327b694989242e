"""The way to Jira by a forward proxy: a tunnel, and what fails on it is the proxy's word, not Jira's."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from libs.jira_client import JiraClient, JiraError
from libs.jira_client.failures.errors import ErrorCode
from tests.doubles.forward_proxy import ForwardProxy, forward_proxy
from tests.doubles.tls_front import tls_front
from tests.unit.libs.jira_client.loopback import FakeTime, Loopback, client, json, serving

NAME = "jira.corp.example"
"""Known to the proxy alone."""
ACCOUNT = {"accountId": "1", "displayName": "Robot", "active": True}
PASSWORD = "s3cr3t/p@ss word"


def trusting(*authorities: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for authority in authorities:
        authority.configure_trust(context)
    return context


class World:
    """A Jira behind TLS with a certificate of `authority`, which only the proxy can find."""

    def __init__(self, jira: Loopback, proxy: ForwardProxy, authority: trustme.CA) -> None:
        self.jira, self.proxy, self.authority = jira, proxy, authority

    def client(self, **changes: Any) -> JiraClient:
        given = {"allow_insecure": False, "proxy": self.proxy.url, "tls": trusting(self.authority), "tries": 1}
        return client(f"https://{NAME}", FakeTime(), **(given | changes))

    async def failure(self, **changes: Any) -> JiraError:
        async with self.client(**changes) as jira:
            with pytest.raises(JiraError) as caught:
                await jira.myself()
        assert caught.value.code not in (ErrorCode.AUTH_EXPIRED, ErrorCode.FORBIDDEN, ErrorCode.UNKNOWN)
        assert PASSWORD not in str(caught.value.verdict)
        return caught.value


@asynccontextmanager
async def world(tls: trustme.CA | None = None, **ways: Any) -> AsyncIterator[World]:
    authority = trustme.CA()
    async with serving(lambda _: json(ACCOUNT)) as jira:
        port = int(jira.url.rpartition(":")[2])
        async with (
            tls_front(port, authority, names=(NAME,)) as front,
            forward_proxy(tls, hosts={NAME: ("127.0.0.1", front)}, **ways) as proxy,
        ):
            yield World(jira, proxy, authority)


async def test_the_proxy_resolves_the_name_and_may_itself_be_at_a_private_address() -> None:
    async with world() as here, here.client() as jira:
        assert (await jira.myself()).account_id == "1"
        await jira.myself()
    assert [(one.method, one.target) for one in here.proxy.asked] == [("CONNECT", f"{NAME}:443")]
    assert len(here.jira.asked) == 2
    assert "proxy-authorization" not in here.jira.asked[0].headers
    assert "authorization" not in here.proxy.asked[0].headers


async def test_a_proxy_over_tls() -> None:
    authority = trustme.CA()
    async with world(tls=authority) as here:
        async with here.client(tls=trusting(authority, here.authority)) as jira:
            assert (await jira.myself()).account_id == "1"
        failure = await here.failure()
    assert failure.code is ErrorCode.TLS_INVALID
    assert "proxy" in failure.message
    assert "JIRA_CA_FILE" in failure.advice


async def test_credentials_go_to_the_proxy_alone() -> None:
    async with world(login=("jdi", PASSWORD)) as here:
        address = here.proxy.url.replace(PASSWORD, "s3cr3t%2Fp%40ss%20word")
        async with here.client(proxy=address) as jira:
            assert (await jira.myself()).account_id == "1"
        wrong = await here.failure(proxy=here.proxy.url.replace(f"jdi:{PASSWORD}", "jdi:other"))
        none = await here.failure(proxy=here.proxy.url.replace(f"jdi:{PASSWORD}@", ""))
    assert here.proxy.asked[0].headers["proxy-authorization"] == (
        "Basic " + base64.b64encode(f"jdi:{PASSWORD}".encode()).decode()
    )
    for failure, says in ((wrong, "refuses the credentials"), (none, "it takes Basic")):
        assert failure.code is ErrorCode.NETWORK_GLITCH
        assert not failure.retryable
        assert "JIRA_PROXY" in failure.advice
        assert says in (failure.evidence.excerpt or "")


async def test_a_password_that_the_proxy_echoes_is_struck_out() -> None:
    async with world(status=403, reason="no s3cr3t for you") as here:
        failure = await here.failure(proxy=here.proxy.url.replace("://", "://jdi:s3cr3t@"))
    assert "s3cr3t" not in str(failure.verdict)


@pytest.mark.parametrize(
    ("ways", "retryable", "says"),
    [
        ({"status": 403}, False, "let us through"),
        ({"status": 404}, False, "let us through"),
        ({"status": 302, "headers": {"Location": "https://login.corp.example/"}}, False, "let us through"),
        ({"status": 429}, True, "does not reach"),
        ({"status": 502}, True, "does not reach"),
        ({"status": 503, "headers": {"Retry-After": "600"}}, True, "does not reach"),
        ({"cuts": True}, True, "cuts"),
        ({"garbage": b"SSH-2.0-OpenSSH_9.7\r\n\r\n"}, True, "cuts"),
        ({"garbage": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000}, True, "cuts"),
        ({"hosts": {NAME: ("127.0.0.1", 1)}}, True, "does not reach"),
    ],
)
async def test_what_a_proxy_does_in_place_of_leading_to_jira(ways: dict[str, Any], retryable: bool, says: str) -> None:
    async with world() as here:
        for name, value in ways.items():
            setattr(here.proxy, name, value)
        failure = await here.failure()
        assert here.jira.asked == []
    assert (failure.code, failure.retryable) == (ErrorCode.NETWORK_GLITCH, retryable)
    assert says in failure.message
    assert failure.retry_after is None


async def test_a_proxy_that_hangs() -> None:
    async with world(hangs=True) as here:
        failure = await here.failure(connect_seconds=0.05)
    assert failure.code is ErrorCode.NETWORK_GLITCH
    assert "in time" in failure.message


async def test_a_tunnel_that_is_cut_in_the_middle_of_an_answer() -> None:
    async with world(cuts_after=1500) as here:
        failure = await here.failure()
    assert (failure.code, failure.retryable) == (ErrorCode.NETWORK_GLITCH, True)


@pytest.mark.parametrize(
    ("proxy", "says"),
    [("http://127.0.0.1:1", "cannot be reached"), ("http://no-such-proxy.invalid:3128", "cannot be resolved")],
)
async def test_a_proxy_that_is_not_there(proxy: str, says: str) -> None:
    async with world() as here:
        failure = await here.failure(proxy=proxy)
    assert failure.code is ErrorCode.NETWORK_GLITCH
    assert failure.retryable
    assert says in failure.message
    assert "JIRA_PROXY" in failure.advice


async def test_a_proxy_that_looks_into_tls_is_believed_by_its_authority_alone() -> None:
    inspector = trustme.CA()
    async with world(inspector=inspector) as here:
        failure = await here.failure()
        assert failure.code is ErrorCode.TLS_INVALID
        assert "JIRA_CA_FILE" in failure.advice
        async with here.client(tls=trusting(inspector)) as jira:
            assert (await jira.myself()).account_id == "1"


async def test_refused_certificates_use_up_no_connections() -> None:
    async with world(inspector=trustme.CA()) as here, here.client(max_concurrency=2) as jira:
        for _ in range(6):
            with pytest.raises(JiraError, match="JIRA_CA_FILE"):
                await jira.myself()


async def test_a_certificate_for_another_name_and_one_that_has_expired() -> None:
    authority = trustme.CA()
    expired = authority.issue_cert(NAME, not_after=datetime.now(UTC) - timedelta(days=1))
    async with serving(lambda _: json(ACCOUNT)) as jira:
        port = int(jira.url.rpartition(":")[2])
        async with (
            tls_front(port, authority, names=("other.example",)) as other,
            tls_front(port, authority, certificate=expired) as old,
            forward_proxy() as proxy,
        ):
            here = World(jira, proxy, authority)
            proxy.hosts = {NAME: ("127.0.0.1", other)}
            assert "JIRA_BASE_URL" in (await here.failure()).advice
            proxy.hosts = {NAME: ("127.0.0.1", old)}
            assert "renewed" in (await here.failure()).advice


async def test_http_goes_by_its_whole_address() -> None:
    async with serving(lambda _: json(ACCOUNT)) as jira, forward_proxy(login=("jdi", "x")) as proxy:
        port = int(jira.url.rpartition(":")[2])
        proxy.hosts = {NAME: ("127.0.0.1", port)}
        async with client(f"http://{NAME}", proxy=proxy.url) as asking:
            assert (await asking.myself()).account_id == "1"
        async with client(f"http://{NAME}", proxy=proxy.url.replace(":x@", ":y@")) as asking:
            with pytest.raises(JiraError, match="407") as caught:
                await asking.myself()
    assert caught.value.code is ErrorCode.NETWORK_GLITCH
    assert [one.target for one in proxy.asked] == [f"http://{NAME}/rest/api/3/myself"] * 2
    assert "proxy-authorization" not in jira.asked[0].headers


async def test_a_private_literal_is_refused_with_a_proxy_as_without() -> None:
    with pytest.raises(ValueError, match="not a public address"):
        client("https://10.0.0.1", allow_insecure=False, proxy="http://127.0.0.1:3128")
