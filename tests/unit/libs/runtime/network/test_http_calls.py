"""Calls by aiohttp on the way of the settings, and what their failures mean."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web

from libs.runtime import read_settings
from libs.runtime.network.http_calls import NetworkTrouble, arguments, trouble_of
from libs.runtime.network.way_out import WayOut
from tests.doubles.forward_proxy import ForwardProxy, forward_proxy

NAME = "hooks.corp.example"
SECONDS = 0.5


@asynccontextmanager
async def serving(authority: trustme.CA) -> AsyncIterator[int]:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="ok")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class World:
    def __init__(self, proxy: ForwardProxy, environ: dict[str, str]) -> None:
        self.proxy, self.environ = proxy, environ

    async def ask(self, **changes: str) -> str | NetworkTrouble:
        way, url = read_settings(WayOut, self.environ | changes), f"https://{NAME}/x"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
                session.get(url, **arguments(way, url)) as response,
            ):
                return await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            trouble = trouble_of(error, NAME, way.proxy_to(url))
            return trouble or repr(error)


@asynccontextmanager
async def world(tmp_path: Path, tls: trustme.CA | None = None, **ways: Any) -> AsyncIterator[World]:
    authority = trustme.CA()
    pems = [one.cert_pem.bytes() for one in (authority, tls) if one]
    (tmp_path / "ca.pem").write_bytes(b"".join(pems))
    async with serving(authority) as port, forward_proxy(tls, hosts={NAME: ("127.0.0.1", port)}) as proxy:
        for name, value in ways.items():
            setattr(proxy, name, value)
        yield World(proxy, {"JIRA_PROXY": proxy.url, "JIRA_CA_FILE": str(tmp_path / "ca.pem")})


@pytest.mark.parametrize("tls", [False, True])
async def test_through_a_proxy_with_credentials_to_a_name_that_it_alone_knows(tls: bool, tmp_path: Path) -> None:
    async with world(tmp_path, trustme.CA() if tls else None, login=("jdi", "hush")) as here:
        assert await here.ask() == "ok"
        assert here.proxy.asked[0].target == f"{NAME}:443"
        wrong = await here.ask(JIRA_PROXY=here.proxy.url.replace("hush", "hushed"))
    assert isinstance(wrong, NetworkTrouble)
    assert (wrong.code, wrong.lasting) == ("PROXY_LOGIN", True)


@pytest.mark.parametrize(
    ("ways", "code", "lasting"),
    [
        ({"status": 403}, "PROXY_REFUSED", True),
        ({"status": 502}, "PROXY_FAILED", False),
        ({"status": 503}, "PROXY_FAILED", False),
        ({"status": 429}, "PROXY_FAILED", False),
        ({"cuts": True}, "PROXY_CUT", False),
        ({"garbage": b"SSH-2.0\r\n\r\n"}, "PROXY_CUT", False),
        ({"hangs": True}, "PROXY_SILENT", False),
        ({"inspector": trustme.CA()}, "TLS", True),
    ],
)
async def test_what_a_proxy_does_wrong(ways: dict[str, Any], code: str, lasting: bool, tmp_path: Path) -> None:
    async with world(tmp_path, **ways) as here:
        trouble = await here.ask()
    assert isinstance(trouble, NetworkTrouble)
    assert (trouble.code, trouble.lasting) == (code, lasting)
    assert trouble.advice.endswith(".")
    assert "hush" not in str(trouble)


@pytest.mark.parametrize(
    ("address", "code"),
    [("http://127.0.0.1:1", "PROXY_UNREACHABLE"), ("http://no-such-proxy.invalid:3128", "PROXY_UNKNOWN")],
)
async def test_a_proxy_that_is_not_there(address: str, code: str, tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        trouble = await here.ask(JIRA_PROXY=address)
    assert isinstance(trouble, NetworkTrouble)
    assert trouble.code == code


async def test_the_proxys_own_certificate_and_the_servers_are_told_apart(tmp_path: Path) -> None:
    async with world(tmp_path, trustme.CA()) as here:
        trouble = await here.ask(JIRA_CA_FILE="")
    assert isinstance(trouble, NetworkTrouble)
    assert f"the proxy 127.0.0.1:{here.proxy.port}" in trouble.text
    async with world(tmp_path) as here:
        trouble = await here.ask(JIRA_CA_FILE="")
    assert isinstance(trouble, NetworkTrouble)
    assert f"certificate of {NAME}" in trouble.text
    assert "JIRA_CA_FILE" in trouble.advice
