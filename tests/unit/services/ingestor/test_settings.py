"""Settings of the ingestor that depend on one another."""

from __future__ import annotations

import pytest

from libs.runtime import SettingsError, read_settings
from services.ingestor.settings import Settings

GIVEN = {"JIRA_BASE_URL": "https://acme.atlassian.net", "JIRA_EMAIL": "a@b.example", "JIRA_API_TOKEN": "t"}


@pytest.mark.parametrize("name", ["TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID"])
def test_a_version_of_the_workers_needs_both_of_its_names(name: str) -> None:
    with pytest.raises(SettingsError, match="belong together"):
        read_settings(Settings, GIVEN | {name: "x"})


def test_workers_have_a_version_only_where_somebody_steers_versions() -> None:
    assert read_settings(Settings, GIVEN).build_id == ""
    both = {"TEMPORAL_DEPLOYMENT_NAME": "jdi/ingestor", "TEMPORAL_WORKER_BUILD_ID": "abc"}
    assert read_settings(Settings, GIVEN | both).build_id == "abc"


@pytest.mark.parametrize("size", ["0", "101", "-5"])
def test_a_page_that_jira_cannot_give_is_refused_in_one_line(size: str) -> None:
    with pytest.raises(SettingsError, match=rf"^JIRA_PAGE_SIZE: {size} is not a number from 1 to 100$"):
        read_settings(Settings, GIVEN | {"JIRA_PAGE_SIZE": size})


@pytest.mark.parametrize(("given", "size"), [({}, 100), ({"JIRA_PAGE_SIZE": "1"}, 1), ({"JIRA_PAGE_SIZE": "100"}, 100)])
def test_the_size_of_a_page(given: dict[str, str], size: int) -> None:
    assert read_settings(Settings, GIVEN | given).jira_page_size == size


def test_a_refusal_is_confirmed_after_seconds_and_after_a_minute() -> None:
    assert read_settings(Settings, GIVEN).jira_confirm == (5.0, 60.0)
    assert read_settings(Settings, GIVEN | {"JIRA_CONFIRM_SECONDS": "0.5, 2"}).jira_confirm == (0.5, 2.0)


@pytest.mark.parametrize("wrong", ["soon", "5;60", "5,,60", "-1", "nan", "inf", "1e9", "1000,1000"])
def test_pauses_that_are_none_are_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"^JIRA_CONFIRM_SECONDS: .* as in 5,60"):
        read_settings(Settings, GIVEN | {"JIRA_CONFIRM_SECONDS": wrong})


@pytest.mark.parametrize(("given", "seconds"), [({}, 21_600), ({"JIRA_CENSUS_SECONDS": "0"}, 0)])
def test_censuses_come_every_six_hours_or_never(given: dict[str, str], seconds: float) -> None:
    assert read_settings(Settings, GIVEN | given).census_seconds == seconds


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("JIRA_CENSUS_SECONDS", "59"),
        ("JIRA_CENSUS_SECONDS", "-1"),
        ("JIRA_CENSUS_SECONDS", "700000"),
        ("JIRA_CENSUS_SECONDS", "nan"),
        ("JIRA_CENSUS_SHARE", "5"),
        ("JIRA_CENSUS_SHARE", "-0.1"),
        ("JIRA_CENSUS_SHARE", "nan"),
    ],
)
def test_a_census_that_cannot_be_is_refused_in_one_line(name: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}: {wrong} "):
        read_settings(Settings, GIVEN | {name: wrong})


OAUTH = {
    "JIRA_BASE_URL": "https://acme.atlassian.net",
    "JIRA_OAUTH_CLIENT_ID": "id",
    "JIRA_OAUTH_CLIENT_SECRET": "s",
}


def test_by_oauth_jira_is_spoken_to_at_the_gateway() -> None:
    settings = read_settings(Settings, OAUTH | {"JIRA_OAUTH_REFRESH_TOKEN": "r", "JIRA_CLOUD_ID": "11-22"})
    assert settings.jira_address == "https://api.atlassian.com"
    oauth = settings.jira.oauth
    assert oauth is not None
    assert (oauth.by_refresh_token, oauth.cloud_id) == (True, "11-22")
    assert "'s'" not in repr(settings)
    assert "'s'" not in repr(oauth)


@pytest.mark.parametrize("wrong", [{"JIRA_CLOUD_ID": "../x"}, {"JIRA_OAUTH_TOKEN_URL": "http://auth.example.com"}])
def test_an_oauth_address_that_cannot_be_is_refused_in_one_line(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^OAuth \w+: "):
        read_settings(Settings, OAUTH | wrong)


HOOKED = OAUTH | {"JIRA_WEBHOOK_URL": "https://jdi.example.com/hooks/acme/a-secret-path"}


def test_an_app_registers_its_webhooks_at_an_address_of_ours() -> None:
    assert read_settings(Settings, HOOKED).webhook_url
    assert "a-secret-path" not in repr(read_settings(Settings, HOOKED))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (GIVEN | {"JIRA_WEBHOOK_URL": HOOKED["JIRA_WEBHOOK_URL"]}, "OAuth apps alone"),
        (HOOKED | {"JIRA_WEBHOOK_URL": "https://jdi.example.com/hooks/other/path"}, "hooks/acme/"),
        (HOOKED | {"JIRA_WEBHOOK_URL": "https://jdi.example.com/hooks/acme/"}, "hooks/acme/"),
        (HOOKED | {"JIRA_WEBHOOK_URL": "http://jdi.example.com/hooks/acme/path"}, "only https"),
    ],
)
def test_an_address_for_webhooks_that_cannot_work_is_refused_in_one_line(given: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError, match=rf"^JIRA_WEBHOOK_URL: .*{line}"):
        read_settings(Settings, given)
