"""Who may send webhooks."""

import hashlib
import hmac
import time
from typing import Any

import jwt
import pytest

from libs.runtime import Secret
from services.graphql.hooks.settings import HookSettings
from services.graphql.hooks.signature import is_apps, is_ours, is_signed

OLD, NEW = "the secret that goes, long", "the secret that comes, long"
BODY = b'{"issue":{"id":"1"}}'


def signature(secret: str, body: bytes = BODY, method: str = "sha256") -> str:
    return f"{method}={hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()}"


def test_the_recommendations_own_example() -> None:
    # https://www.w3.org/TR/websub/#signing-content names the form; the value is RFC 4231's second case.
    header = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert is_signed(b"what do ya want for nothing?", header, ["Jefe"])


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_two_secrets_are_valid_while_one_is_replaced(secret: str) -> None:
    assert is_signed(BODY, signature(secret), [OLD, NEW])
    assert not is_signed(BODY, signature(secret), [])


@pytest.mark.parametrize(
    "header",
    [
        signature("another secret"),
        signature(OLD, b"another body"),
        signature(OLD).removeprefix("sha256="),
        signature(OLD)[:-1],
        signature(OLD, method="sha1"),
        signature(OLD, method="md5"),
        "sha256=",
        "",
        "sha256=\u0660" * 8,
        "none=",
    ],
)
def test_what_was_not_signed_by_us_is_refused(header: str) -> None:
    assert not is_signed(BODY, header, [OLD])


def test_the_method_is_named_in_the_header() -> None:
    assert is_signed(BODY, signature(OLD, method="sha512").upper().replace("SHA512", "SHA512"), [OLD])


def test_the_secret_path() -> None:
    assert is_ours("one", ["two", "one"])
    assert not is_ours("on", ["one"])
    assert not is_ours("\udcff", ["one"])
    assert not is_ours("", [])


def test_settings() -> None:
    path = Secret("a-path-that-nobody-guesses, another-that-nobody-guesses")
    settings = HookSettings(hook_path=path, no_proxy="")
    settings.checked()
    assert settings.paths == ("a-path-that-nobody-guesses", "another-that-nobody-guesses")
    assert settings.takes_unsigned
    signed = HookSettings(hook_path=path, hook_secret=Secret("x" * 20), no_proxy="")
    assert not signed.takes_unsigned
    assert not HookSettings(hook_path=path, hook_forge_app="ari:1", no_proxy="").takes_unsigned


@pytest.mark.parametrize("path", ["short", "a" * 30 + "/b", "é" * 30, ",".join(["x" * 30] * 3)])
def test_a_path_that_could_be_guessed_or_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="JIRA_HOOK_PATH"):
        HookSettings(hook_path=Secret(path), no_proxy="").checked()


APP = "the-client-secret-of-the-app-which-is-long-enough"


def app_token(secret: str = APP, method: str = "HS256", **claims: Any) -> str:
    return jwt.encode(claims, secret, algorithm=method)


def test_the_token_of_an_oauth_app() -> None:
    now = int(time.time())
    assert is_apps(app_token(), [APP])
    assert is_apps(app_token(iss="jira", aud="anybody", iat=now, exp=now + 60), ["another that is being replaced", APP])


@pytest.mark.parametrize(
    "token",
    [
        app_token("another secret that is long enough too"),
        app_token(exp=int(time.time()) - 3600),
        app_token(nbf=int(time.time()) + 3600),
        app_token(iat="soon"),
        jwt.encode({}, "", algorithm="none"),
        app_token() + "x",
        app_token().rpartition(".")[0] + ".",
        "",
        "a.b.c",
        "\u0660.\u0660.\u0660",
    ],
)
def test_a_token_that_jira_did_not_sign_for_the_app_is_refused(token: str) -> None:
    assert not is_apps(token, [APP])
    assert not is_apps(token, [])
