"""What the doctor says of the way to Jira."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from libs.runtime import read_settings
from libs.runtime.network.trust import Authority
from services.cli.checks import way as looking
from services.cli.checks.findings import Doubt
from services.cli.checks.way import way
from services.cli.settings import DoctorSettings

PROXY = "http://jdi:hush@proxy.corp.example:3128"


async def told(**environ: str) -> str:
    given = {"JIRA_BASE_URL": "https://acme.atlassian.net", **environ}
    text = await way(read_settings(DoctorSettings, given), given)
    assert "hush" not in text
    return text


async def test_the_proxy_and_the_authorities_are_named(tmp_path: Path) -> None:
    assert await told() == "directly; believing the system's authorities"
    trustme.CA(organization_name="Acme Root").cert_pem.write_to_path(tmp_path / "ca.pem")
    text = await told(JIRA_PROXY=PROXY, JIRA_CA_FILE=str(tmp_path / "ca.pem"), HTTPS_PROXY="http://other")
    assert text.startswith("by the proxy http://proxy.corp.example:3128 as jdi; ")
    assert "those of JIRA_CA_FILE: Acme Root" in text
    assert (await told(JIRA_PROXY=PROXY, NO_PROXY=".atlassian.net")).startswith("directly, as NO_PROXY says; ")


async def test_by_oauth_the_way_is_that_to_the_gateway() -> None:
    by_oauth = {"JIRA_PROXY": PROXY, "JIRA_OAUTH_CLIENT_ID": "id"}
    assert (await told(**by_oauth, NO_PROXY=".atlassian.net")).startswith("by the proxy ")
    assert (await told(**by_oauth, NO_PROXY="api.atlassian.com")).startswith("directly, as NO_PROXY says; ")


async def test_a_variable_of_other_programs_is_named_as_one_that_is_not_used() -> None:
    with pytest.raises(Doubt, match="HTTPS_PROXY is set and not used") as caught:
        await told(HTTPS_PROXY=PROXY)
    assert "JIRA_PROXY" in (caught.value.advice or "")


async def test_an_authority_that_has_expired_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = datetime.now(UTC) - timedelta(days=1)
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setattr(looking, "authorities", lambda _path: [Authority("Acme Root", over)])
    with pytest.raises(Doubt, match=f"expired: Acme Root on {over:%Y-%m-%d}"):
        await told(JIRA_CA_FILE=str(tmp_path / "ca.pem"))
