"""Calls of webhooks end at public addresses only, whatever a name leads to."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from libs.events import FailureKind
from libs.runtime import read_settings
from libs.runtime.network.way_out import WayOut
from services.notifier.delivery import egress
from services.notifier.delivery.egress import AddressRefusedError, PublicResolver, checked_address, post
from services.notifier.message.types import Result
from tests.doubles.forward_proxy import forward_proxy
from tests.doubles.slack import slack_double


class Leading(AbstractResolver):
    """A resolver that gives the addresses it is told."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_to_a_private_address_leads_nowhere(address: str) -> None:
    with pytest.raises(AddressRefusedError):
        await PublicResolver(Leading(address)).resolve("hooks.slack.com")


async def test_of_several_addresses_the_public_ones_are_used() -> None:
    found = await PublicResolver(Leading("10.0.0.1", "93.184.216.34")).resolve("hooks.slack.com")
    assert [one["host"] for one in found] == ["93.184.216.34"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.1", "2130706433", "0x7f.1"])
async def test_no_spelling_of_loopback_is_called(host: str) -> None:
    called = asyncio.Event()

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await post(f"http://{host}:{port}/", {}, allow_insecure=False)
    assert isinstance(result, Result)
    assert result.failures[0].kind in (FailureKind.CONFIG, FailureKind.TRANSIENT)
    assert not called.is_set()


async def test_a_redirect_is_not_followed_and_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    answers = [b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(answers[0])
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await post(f"http://127.0.0.1:{port}/", {}, allow_insecure=True)
        assert not isinstance(answer, Result)
        assert answer.status == 302
        answers[0] = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 200_000
        answer = await post(f"http://127.0.0.1:{port}/", {}, allow_insecure=True)
    assert not isinstance(answer, Result)
    assert len(answer.body) <= egress.ANSWER_LIMIT


@pytest.mark.parametrize(
    "text",
    ["", "hooks.slack.com/x", "ftp://hooks.slack.com/", "http://hooks.slack.com/", "https://", "https://127.0.0.1/",
     "https://[::1]/", "https://10.0.0.1/x", "https://hooks.slack.com/a b", "https://hooks.slack.com/\r\n",
     "https://[oops/", "https://x:port/"],
)  # fmt: skip
def test_addresses_that_are_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match=r"^SLACK_WEBHOOK_URL: "):
        checked_address("SLACK_WEBHOOK_URL", text, allow_insecure=False)


def test_addresses_that_are_fine() -> None:
    for text in ("https://hooks.slack.com/services/T/B/x", "https://93.184.216.34/"):
        assert checked_address("X", text, allow_insecure=False) == text
    assert checked_address("X", "http://127.0.0.1:1/x", allow_insecure=True) == "http://127.0.0.1:1/x"


@pytest.mark.parametrize("login", [None, ("jdi", "s3cr3t")])
async def test_by_the_proxy_that_is_set_which_resolves_the_name(login: tuple[str, str] | None) -> None:
    with slack_double() as slack:
        async with forward_proxy(hosts={"hooks.slack.com": ("127.0.0.1", slack.port)}, login=login) as proxy:
            way = read_settings(WayOut, {"JIRA_PROXY": proxy.url})
            answer = await post("http://hooks.slack.com/x", {"text": "hello"}, allow_insecure=False, way=way)
            wrong = read_settings(WayOut, {"JIRA_PROXY": proxy.url.replace("s3cr3t", "hush")})
            refused = await post("http://hooks.slack.com/x", {"text": "hello"}, allow_insecure=False, way=wrong)
    assert not isinstance(answer, Result)
    assert [one.target for one in proxy.asked] == ["http://hooks.slack.com/x"] * 2
    if login:
        assert isinstance(refused, Result)
        assert (refused.failures[0].kind, refused.failures[0].code) == (FailureKind.CONFIG, "PROXY_LOGIN")


async def test_what_a_proxy_refuses_is_for_a_person_and_what_it_cannot_is_tried_again() -> None:
    async with forward_proxy() as proxy:
        way = read_settings(WayOut, {"JIRA_PROXY": proxy.url})
        kinds = []
        for status in (403, 407, 503):
            proxy.change(status=status)
            result = await post("https://hooks.slack.com/x", {}, allow_insecure=False, way=way)
            assert isinstance(result, Result)
            kinds.append((result.failures[0].kind, result.failures[0].code))
    assert kinds == [
        (FailureKind.CONFIG, "PROXY_REFUSED"),
        (FailureKind.CONFIG, "PROXY_LOGIN"),
        (FailureKind.TRANSIENT, "PROXY_FAILED"),
    ]


async def test_a_private_literal_is_refused_with_a_proxy_as_without() -> None:
    async with forward_proxy() as proxy:
        way = read_settings(WayOut, {"JIRA_PROXY": proxy.url})
        result = await post("https://169.254.169.254/x", {}, allow_insecure=False, way=way)
        assert isinstance(result, Result)
        assert result.failures[0].code == "ADDRESS_REFUSED"
        assert proxy.asked == []
