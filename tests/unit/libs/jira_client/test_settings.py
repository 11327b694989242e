"""Which addresses and values are let in."""

from typing import Any

import pytest

from libs.jira_client import JiraClient, JiraSettings
from tests.unit.libs.jira_client.loopback import EMAIL, TOKEN


def made(**changes: Any) -> JiraSettings:
    values = {"base_url": "https://acme.atlassian.net", "email": EMAIL, "token": TOKEN}
    return JiraSettings(**{**values, **changes})


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.atlassian.net",
        "https://acme.atlassian.net/",
        "https://api.atlassian.com/ex/jira/11223344-a1b2",
        "https://jira.example.org:8443/jira",
        "https://8.8.8.8",
        "https://[2606:4700::1111]",
    ],
)
def test_public_https_is_fine(url: str) -> None:
    assert made(base_url=url).base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.atlassian.net",
        "ftp://acme.atlassian.net",
        "https://",
        "http://acme.atlassian.net",
        "https://user:pw@acme.atlassian.net",
        "https://acme.atlassian.net?x=1",
        "https://acme.atlassian.net#x",
        "https://localhost",
        "https://jira.localhost.",
        "https://127.0.0.1",
        "https://0.0.0.0",
        "https://10.1.2.3",
        "https://172.16.0.1",
        "https://192.168.1.1:8443",
        "https://169.254.169.254",
        "https://100.64.0.1",
        "https://224.0.0.1",
        "https://255.255.255.255",
        "https://[::1]",
        "https://[::]",
        "https://[fe80::1%25eth0]",
        "https://[fd00::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:a00:1]",
        "https://[64:ff9b::7f00:1]",
        "https://[2002:7f00:1::]",
        "https://[ff02::1]",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Jira base_url"):
        made(base_url=url)


def test_insecure_addresses_only_when_allowed() -> None:
    assert made(base_url="http://127.0.0.1:8095", allow_insecure=True).allow_insecure
    with pytest.raises(ValueError, match="leave out"):
        made(base_url="http://u:p@127.0.0.1", allow_insecure=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"token": ""},
        {"token": "abc\n"},
        {"token": "a\r\nX-Evil: 1"},
        {"email": " robot@acme.example"},
        {"requests_per_second": 0},
        {"burst": -1},
        {"total_seconds": float("nan")},
        {"max_body_bytes": float("inf")},
        {"tries": 0},
    ],
)
def test_bad_values_are_one_clear_line_without_the_secret(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^Jira [a-z_]+: [^\n]+$") as caught:
        made(**changes)
    assert "Evil" not in str(caught.value)


def test_secrets_are_in_no_repr() -> None:
    shown = repr(made()) + str(made()) + repr(JiraClient(made()))
    assert TOKEN not in shown
    assert EMAIL not in shown
    assert "acme.atlassian.net" in shown
