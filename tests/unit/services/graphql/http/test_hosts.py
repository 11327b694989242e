"""Which names and origins are ours, and where a person finds us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graphql.http.hosts import Hosts

LOCAL = Hosts()
NAMED = Hosts(named=("jdi.example", "jdi.example:8443"))
PROXIED = Hosts(bound="0.0.0.0", behind_proxy=True)  # noqa: S104 - what a container does
KNOWN = Hosts(bound="0.0.0.0", named=("jdi.example",), behind_proxy=True)  # noqa: S104


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1"])
def test_the_names_of_this_machine_are_ours(host: str) -> None:
    assert LOCAL.serves(host)
    assert NAMED.serves(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::", "@localhost@evil"]
)
def test_others_are_not(host: str) -> None:
    assert not LOCAL.serves(host)
    assert not NAMED.serves(host)
    assert not KNOWN.serves(host)


def test_the_address_that_we_listen_on_is_ours() -> None:
    assert Hosts(bound="127.8.8.8").serves("127.8.8.8:8080")
    assert not LOCAL.serves("127.8.8.8:8080")


def test_names_that_were_named_are_ours() -> None:
    assert NAMED.serves("jdi.example")
    assert KNOWN.serves("jdi.example:443")
    assert not LOCAL.serves("jdi.example")


def test_a_proxy_that_names_nothing_decides_by_itself() -> None:
    assert PROXIED.serves("anything.example")


@pytest.mark.parametrize("hosts", [LOCAL, NAMED, PROXIED, KNOWN])
def test_health_is_for_addresses_and_names_that_no_page_can_have(hosts: Hosts) -> None:
    for host in (None, "10.1.2.3:8080", "graphql:8080", "graphql.jdi.svc", "localhost:8080"):
        assert hosts.lets_look(host)
    assert not hosts.lets_look("evil.example")
    assert hosts.lets_look("jdi.example") is ("jdi.example" in hosts.named)


@pytest.mark.parametrize(
    ("hosts", "origin", "host", "ours"),
    [
        (LOCAL, "http://localhost:8080", "localhost:8080", True),
        (LOCAL, "http://localhost:3000", "localhost:8080", False),  # another program of this machine
        (LOCAL, "http://127.0.0.1:8080", "localhost:8080", False),
        (LOCAL, "https://localhost:8080", "localhost:8080", False),
        (LOCAL, "null", "localhost:8080", False),
        (LOCAL, "", "localhost:8080", False),
        (LOCAL, "http://", "", False),
        (PROXIED, "https://jdi.example", "jdi.example", True),
        (PROXIED, "http://jdi.example", "jdi.example", False),  # whoever sits on the line could have written it
        (PROXIED, "https://other.example", "jdi.example", False),
        (KNOWN, "https://jdi.example", "10.0.0.7:8080", True),  # a proxy that puts its own Host
        (KNOWN, "https://jdi.example:8443", "10.0.0.7:8080", False),
        (NAMED, "http://jdi.example:8443", "127.0.0.1:8080", True),
    ],
)
def test_an_origin_is_ours_with_scheme_name_and_port(hosts: Hosts, origin: str, host: str, ours: bool) -> None:
    assert hosts.owns(origin, host) is ours


@given(st.text(), st.text())
def test_no_text_breaks_it(origin: str, host: str) -> None:
    LOCAL.serves(host)
    assert not LOCAL.owns(origin, host) or (host and origin == f"http://{host}")


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        (LOCAL, "http://127.0.0.1:8080"),
        (Hosts(bound="localhost"), "http://localhost:8080"),
        (Hosts(bound="::1"), "http://[::1]:8080"),
        (PROXIED, "http://127.0.0.1:8080"),
        (KNOWN, "https://jdi.example"),
    ],
)
def test_the_address_can_be_opened(hosts: Hosts, address: str) -> None:
    assert hosts.address(8080) == address
