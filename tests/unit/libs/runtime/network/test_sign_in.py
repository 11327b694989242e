"""One way to sign in to Jira, and which: from the environment."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from libs.runtime import SettingsError, read_settings
from libs.runtime.network.sign_in import JiraSignIn, missing, way_to_sign_in

TOKEN = {"JIRA_EMAIL": "a@b.example", "JIRA_API_TOKEN": "t"}
OAUTH = {"JIRA_OAUTH_CLIENT_ID": "id", "JIRA_OAUTH_CLIENT_SECRET": "s"}


@dataclass(frozen=True, kw_only=True)
class Settings(JiraSignIn):
    def __post_init__(self) -> None:
        self.check_sign_in()


def test_by_a_token() -> None:
    settings = read_settings(Settings, TOKEN)
    assert not settings.signs_in_by_oauth
    assert way_to_sign_in(TOKEN) == "by an API token"
    assert missing(TOKEN) == []


def test_by_oauth() -> None:
    settings = read_settings(Settings, OAUTH)
    assert settings.signs_in_by_oauth
    assert (settings.jira_email, settings.jira_api_token) == ("", "")
    assert way_to_sign_in(OAUTH) == "by OAuth 2.0, as a service account"
    assert way_to_sign_in(OAUTH | {"JIRA_OAUTH_REFRESH_TOKEN": "r"}) == "by OAuth 2.0, with a refresh token"
    assert missing({"JIRA_OAUTH_CLIENT_ID": "id"}) == ["JIRA_OAUTH_CLIENT_SECRET"]


def test_neither_is_told_with_both() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(Settings, {})
    assert [line.partition(" ")[0] for line in raised.value.lines] == ["JIRA_EMAIL", "JIRA_API_TOKEN"]
    assert all("JIRA_OAUTH_CLIENT_ID" in line for line in raised.value.lines)
    assert missing({}) == ["JIRA_EMAIL", "JIRA_API_TOKEN"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"JIRA_OAUTH_CLIENT_ID": "id"}, "^JIRA_OAUTH_CLIENT_SECRET is not set"),
        (OAUTH | TOKEN, "two ways to sign in"),
        (TOKEN | {"JIRA_OAUTH_CLIENT_SECRET": "s"}, "^JIRA_OAUTH_CLIENT_ID is not set"),
        (TOKEN | {"JIRA_OAUTH_REFRESH_TOKEN": "s"}, "^JIRA_OAUTH_CLIENT_ID is not set"),
    ],
)
def test_half_a_way_and_two_ways_are_refused(given: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError, match=line):
        read_settings(Settings, given)
