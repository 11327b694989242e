"""Whether a body was signed with one of our secrets, or brought by a token that was. Pure, but for the clock."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

import jwt

METHODS: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
"""Jira names its method in the header and may change it; weaker ones are not taken."""

APP_METHODS: Final = ("HS256", "HS384", "HS512")
LEEWAY_SECONDS: Final = 30.0
"""By which Jira's clock and ours may differ."""


def is_signed(body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether `X-Hub-Signature: sha256=<hex>` is the body's HMAC under one of the secrets.

    All of them are valid at once, so that one can be replaced without a hook being refused.
    """
    method, _, given = header.strip().partition("=")
    digest = METHODS.get(method.lower())
    if digest is None or not given.isascii():
        return False
    expected = [hmac.new(secret.encode(), body, digest).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(one, given.lower()) for one in expected)


def is_apps(token: str, secrets: Sequence[str]) -> bool:
    """Whether Jira has signed a token with one of the client secrets of our OAuth app, and it is still valid.

    Jira sends one with each webhook that the app has registered. It does not cover the body.
    """
    return any(_signs(token, secret) for secret in secrets)


def _signs(token: str, secret: str) -> bool:
    try:
        jwt.decode(token, secret, algorithms=list(APP_METHODS), leeway=LEEWAY_SECONDS, options={"verify_aud": False})
    except (jwt.PyJWTError, ValueError):
        return False
    return True


def is_ours(path: str, paths: Sequence[str]) -> bool:
    """Whether the last part of an address is one of our secret ones."""
    given = path.encode("utf-8", "replace")
    return any(hmac.compare_digest(one.encode(), given) for one in paths)
