"""The address of a proxy."""

from __future__ import annotations

import pytest

from libs.runtime.network.proxy import parse_proxy


@pytest.mark.parametrize(
    ("text", "address", "user", "password"),
    [
        ("http://proxy.corp.example:3128", "http://proxy.corp.example:3128", None, ""),
        ("proxy.corp.example:3128", "http://proxy.corp.example:3128", None, ""),
        ("http://proxy.corp.example/", "http://proxy.corp.example:80", None, ""),
        ("https://proxy.corp.example", "https://proxy.corp.example:443", None, ""),
        ("http://10.0.0.1:3128", "http://10.0.0.1:3128", None, ""),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128", None, ""),
        ("http://jdi:s3cret@proxy:3128", "http://proxy:3128", "jdi", "s3cret"),
        ("jdi:s3cret@proxy:3128", "http://proxy:3128", "jdi", "s3cret"),
        ("http://jdi@proxy:3128", "http://proxy:3128", "jdi", ""),
        ("http://CORP%5Cjdi:p%40ss%2Fw%23%20%C3%A4@proxy:3128", "http://proxy:3128", "CORP\\jdi", "p@ss/w# ä"),
        ("http://jdi:p@ss@proxy:3128", "http://proxy:3128", "jdi", "p@ss"),
    ],
)
def test_what_it_says(text: str, address: str, user: str | None, password: str) -> None:
    proxy = parse_proxy("JIRA_PROXY", text)
    assert (proxy.address, proxy.user, str(proxy.password)) == (address, user, password)
    again = parse_proxy("JIRA_PROXY", proxy.full_address)
    assert again == proxy
    assert not password or password not in repr(proxy)
    assert bool(proxy.headers) is (user is not None)


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "socks5://jdi:hush@proxy:1080",
        "ftp://jdi:hush@proxy",
        "http://jdi:hu/sh@proxy:3128",
        "http://jdi:hu#sh@proxy:3128",
        "http://jdi:hu?sh@proxy:3128",
        "http://jdi:hu sh@proxy:3128",
        "http://jdi:hush@proxy:port",
        "http://jdi:hush@proxy:0",
        "http://jdi:hush@proxy:99999",
        "http://jdi:hu%0ash@proxy:3128",
        "http://jdi:hush@[oops:3128",
        "http://jdi:hush@proxy:3128/path",
    ],
)
def test_what_is_no_address_is_one_line_without_the_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"^JIRA_PROXY: [^\n]+$") as caught:
        parse_proxy("JIRA_PROXY", text)
    assert "hu" not in str(caught.value).removeprefix("JIRA_PROXY: ")
