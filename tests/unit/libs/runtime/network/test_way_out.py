"""Which way a service goes, from its variables alone."""

from __future__ import annotations

import pytest

from libs.runtime import SettingsError, read_settings
from libs.runtime.network.way_out import WayOut

JIRA = "https://acme.atlassian.net"
PROXY = "http://jdi:hush@proxy.corp.example:3128"


def test_without_variables_directly_whatever_other_programs_are_told() -> None:
    way = read_settings(WayOut, {"HTTPS_PROXY": PROXY, "https_proxy": PROXY, "ALL_PROXY": PROXY})
    assert way.proxy_to(JIRA) is None
    assert way.way_to(JIRA) == "directly"


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_by_the_proxy_but_for_what_is_named(variable: str) -> None:
    way = read_settings(WayOut, {"JIRA_PROXY": PROXY, variable: "hooks.slack.com"})
    proxy = way.proxy_to(JIRA)
    assert proxy is not None
    assert proxy.full_address == PROXY
    assert way.way_to(JIRA) == "by the proxy http://proxy.corp.example:3128 as jdi"
    assert way.proxy_to("https://hooks.slack.com/services/x") is None
    assert way.way_to("https://hooks.slack.com/") == "directly, as NO_PROXY says"
    assert "hush" not in repr(way)


def test_wrong_values_are_a_line_each() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(WayOut, {"JIRA_PROXY": "socks5://jdi:hush@proxy", "JIRA_CA_FILE": "/none.pem"})
    assert [line.partition(":")[0].partition("=")[0] for line in caught.value.lines] == ["JIRA_PROXY", "JIRA_CA_FILE"]
    assert "hush" not in str(caught.value)
