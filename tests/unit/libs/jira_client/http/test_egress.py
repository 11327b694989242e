"""Connections end at public addresses only, whatever the name resolves to."""

import asyncio
import ipaddress
import ssl

import httpx
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client import JiraClient, UntrustedConnection
from libs.jira_client.http.addresses import is_public
from libs.jira_client.http.egress import AddressRefusedError, PublicOnly, pool
from tests.unit.libs.jira_client.loopback import FakeTime, client, serving_bytes, settings


async def test_a_name_that_leads_to_loopback_is_hung_up_on_before_a_byte_is_sent() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read())

    async with serving_bytes(talk) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(AddressRefusedError, match=r"localhost leads to (127\.0\.0\.1|::1)"):
            await PublicOnly().connect_tcp("localhost", port)
        assert await heard.get() == b""


async def test_the_client_refuses_a_public_name_with_a_private_address() -> None:
    """The name passes the settings, as a rebinding name would; its address does not."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving_bytes(talk) as url:
        port = url.rpartition(":")[2]
        checked = settings("https://acme.example", allow_insecure=False)
        object.__setattr__(checked, "base_url", f"https://localhost:{port}")
        async with JiraClient(checked) as jira:
            with pytest.raises(UntrustedConnection, match="not a public one") as caught:
                await jira.myself()
    assert jira.requests == 1
    assert not caught.value.retryable


async def test_https_to_something_that_speaks_no_tls_is_not_trusted() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with serving_bytes(talk) as url, client(url.replace("http:", "https:"), FakeTime()) as jira:
        with pytest.raises(UntrustedConnection):
            await jira.myself()


@pytest.mark.parametrize("public_only", [True, False])
def test_those_are_believed_who_are_named_and_nobody_else(public_only: bool) -> None:
    authority = trustme.CA()
    named = ssl.create_default_context()
    authority.configure_trust(named)
    ours = ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())
    for tls, believed in ((None, False), (named, True)):
        made = pool(connections=1, public_only=public_only, tls=tls)
        assert isinstance(made, httpx.AsyncHTTPTransport)
        context = made._pool._ssl_context
        assert context is not None
        assert (ours in context.get_ca_certs(binary_form=True)) is believed


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_wrapping(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in (
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ):
        assert is_public(wrapped) == is_public(address)
