"""What is made of the token endpoint's answers, of sites, and of settings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from libs.jira_client import ErrorCode, OAuthSettings
from libs.jira_client.failures.answer import Answer
from libs.jira_client.failures.classify import classify
from libs.jira_client.sign_in.grants import UNTOLD_SECONDS, Grant, asked_for, granted, seconds_of
from libs.jira_client.sign_in.refusals import of_jira, of_token_endpoint
from libs.jira_client.sign_in.settings import GATEWAY
from libs.jira_client.sign_in.sites import Site, by_gateway, cloud_id_in, named, site_of, sites_in

ODD_TIMES: list[Any] = [None, True, "", "soon", "nan", "1e9999", -1, 0, 10**400, [], {}]
CLIENT = OAuthSettings(client_id="id", client_secret="secret")


def answer(value: Any, status: int = 200) -> Answer:
    return Answer(status_code=status, headers={"content-type": "application/json"}, content=msgspec.json.encode(value))


def test_what_is_asked_for() -> None:
    client = {"client_id": "id", "client_secret": "secret"}
    assert asked_for(CLIENT) == {"grant_type": "client_credentials", **client}
    assert asked_for(CLIENT, "r") == {"grant_type": "refresh_token", **client, "refresh_token": "r"}


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(3600, 3600), ("3600", 3600), (0.5, 0.5), (1e300, 86_400), *((odd, UNTOLD_SECONDS) for odd in ODD_TIMES)],
)
def test_how_long_a_token_is_valid(told: object, seconds: float) -> None:
    assert seconds_of(told) == seconds


def test_a_token_is_renewed_a_little_before_it_ends() -> None:
    assert Grant("t", 3600).renewed_after == 3300
    assert Grant("t", 60).renewed_after == 54


def test_a_successor_that_cannot_be_sent_is_none() -> None:
    assert granted(answer({"access_token": "a", "refresh_token": "r"})) == Grant("a", UNTOLD_SECONDS, "r")
    for odd in (None, "", 7, "a b", "ä", ["r"]):
        assert granted(answer({"access_token": "a", "refresh_token": odd})).refresh_token == ""


@pytest.mark.parametrize("odd", [{}, [], None, {"access_token": 1}, {"access_token": ""}, {"access_token": "a\n"}])
def test_what_is_no_token_is_an_error(odd: object) -> None:
    with pytest.raises(msgspec.DecodeError):
        granted(answer(odd))


def test_which_site_is_ours() -> None:
    found = sites_in(
        answer([{"id": "1", "url": "https://ACME.atlassian.net/"}, {"id": "2"}, {"id": "../3"}, 7, {"url": "x"}])
    )
    assert [site.id for site in found] == ["1", "2"]
    assert site_of(found, "https://acme.atlassian.net/jira") == found[0]
    assert site_of(found, "https://acme.atlassian.net.evil.example") is None
    assert site_of([Site("1", "https://[")], "https://acme.atlassian.net") is None
    assert site_of([Site("1", "https://acme.example:443")], "https://acme.example") is not None


def test_sites_in_words() -> None:
    assert named([]) == "no site at all"
    assert named([Site("1", "https://a.example"), Site("2")]) == "a.example, 2"
    assert named([Site(str(number)) for number in range(7)]) == "0, 1, 2, 3, 4 and 2 more"


def test_an_address_of_the_gateway() -> None:
    assert by_gateway(f"{GATEWAY}/ex/jira/11-22/")
    assert not by_gateway(f"{GATEWAY}/ex/jira/")
    assert not by_gateway(f"{GATEWAY}/ex/jira/1/../2")
    assert not by_gateway("https://acme.atlassian.net")


def test_what_a_site_says_of_itself() -> None:
    assert cloud_id_in(answer({"cloudId": "11-22"})) == "11-22"
    for odd in ({}, {"cloudId": ""}, {"cloudId": "../x"}, {"cloudId": None}):
        with pytest.raises(msgspec.DecodeError):
            cloud_id_in(answer(odd))


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_whatever_status_a_refusal_has_it_is_one(status: int) -> None:
    verdict = classify(answer({"error": "invalid_grant", "error_description": "Unknown."}, status))
    assert verdict is not None
    refused = of_token_endpoint(verdict)
    assert (refused.code, refused.retryable) == (ErrorCode.OAUTH_REFUSED, False)
    assert "Unknown." in refused.message


def test_what_is_no_refusal_stays_what_it_is() -> None:
    for status in (429, 500, 503):
        verdict = classify(answer({}, status))
        assert verdict is not None
        assert of_token_endpoint(verdict) is verdict
        assert of_jira(verdict) is verdict
    missing_scope = classify(answer({"code": 401, "message": "Unauthorized; scope does not match"}, 401))
    assert missing_scope is not None
    said = of_jira(missing_scope)
    assert said.code is ErrorCode.FORBIDDEN
    assert "OAuth credential lacks the scopes" in said.message
    assert "read:jira-work" in said.advice
    assert "API token" not in said.advice


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"client_secret": " x"},
        {"cloud_id": "../1"},
        {"token_url": "http://auth.example.com"},
        {"token_url": "nowhere"},
        {"gateway": "https://u:p@api.example.com"},
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"^OAuth {next(iter(wrong))}: "):
        made(wrong).checked(allow_insecure=False)


def made(changes: dict[str, str]) -> OAuthSettings:
    given: dict[str, Any] = {"client_id": "id", "client_secret": "secret", **changes}
    return OAuthSettings(**given)
