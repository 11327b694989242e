"""What NO_PROXY takes out of the proxy's hands."""

from __future__ import annotations

import pytest

from libs.runtime.network.no_proxy import goes_directly


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "directly"),
    [
        ("acme.atlassian.net", 443, "", False),
        ("acme.atlassian.net", 443, " , ,", False),
        ("acme.atlassian.net", 443, "*", True),
        ("acme.atlassian.net", 443, "localhost, acme.atlassian.net", True),
        ("acme.atlassian.net", 443, "localhost acme.atlassian.net", True),
        ("ACME.Atlassian.net.", 443, "acme.atlassian.NET", True),
        ("acme.atlassian.net", 443, "atlassian.net", True),
        ("acme.atlassian.net", 443, ".atlassian.net", True),
        ("acme.atlassian.net", 443, "*.atlassian.net", True),
        ("atlassian.net", 443, ".atlassian.net", True),
        ("notatlassian.net", 443, "atlassian.net", False),
        ("notatlassian.net", 443, ".atlassian.net", False),
        ("acme.atlassian.net", 443, "acme.atlassian.net:443", True),
        ("acme.atlassian.net", 443, "acme.atlassian.net:8443", False),
        ("acme.atlassian.net", 8443, ".atlassian.net:8443", True),
        ("acme.atlassian.net", 443, "*:8443", False),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.1.2.3", True),
        ("10.1.2.3", 443, "10.1.2.3:443", True),
        ("10.1.2.3", 443, "10.1.2.3:80", False),
        ("10.1.2.3", 443, "10.0.0.1/8", True),
        ("10.1.2.3", 443, "2.3", False),
        ("fd00::1", 443, "fd00::/8", True),
        ("fd00::1", 443, "[fd00::1]", True),
        ("fd00::1", 443, "[fd00::1]:443", True),
        ("fd00::1", 443, "[fd00::1]:80", False),
        ("fd00::1", 443, "FD00:0:0::1", True),
        ("10.1.2.3", 443, "fd00::/8", False),
        ("acme.atlassian.net", 443, "10.0.0.0/99,.,*.,:,:443,[", False),
        ("", 443, "a", False),
    ],
)
def test_what_it_names(host: str, port: int, no_proxy: str, directly: bool) -> None:
    assert goes_directly(host, port, no_proxy) is directly
