"""Whether an event of a Forge app is Atlassian's, for our app, and of now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.graphql.hooks.forge import ASK_AGAIN_SECONDS, ISSUER, ForgeTokens

APP = "ari:cloud:ecosystem::app/0f1e"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Atlassian:
    """Publishes keys, and counts how often they are read."""

    def __init__(self, **keys: rsa.RSAPrivateKey) -> None:
        self.keys, self.asked, self.seconds = keys, 0, 0.0

    async def fetch(self) -> bytes:
        self.asked += 1
        public = [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {"kid": kid, "alg": "RS256"}
            for kid, key in self.keys.items()
        ]
        return json.dumps({"keys": public}).encode()

    def tokens(self) -> ForgeTokens:
        return ForgeTokens(APP, self.fetch, lambda: self.seconds)


def token(key: rsa.RSAPrivateKey = KEY, kid: str = "k1", **claims: Any) -> str:
    now = datetime.now(UTC)
    body = {"iss": ISSUER, "aud": APP, "iat": now, "exp": now + timedelta(seconds=60)} | claims
    return jwt.encode({name: value for name, value in body.items() if value is not None}, key, "RS256", {"kid": kid})


async def test_a_token_of_atlassian_proves_and_keys_are_read_once() -> None:
    atlassian = Atlassian(k1=KEY)
    tokens = atlassian.tokens()
    assert await tokens.proves(token())
    assert await tokens.proves(token())
    assert atlassian.asked == 1


@pytest.mark.parametrize(
    "given",
    [
        token(OTHER),
        token(kid="unknown"),
        token(aud="ari:cloud:ecosystem::app/another"),
        token(iss="somebody"),
        token(exp=datetime.now(UTC) - timedelta(minutes=5)),
        token(exp=None),
        jwt.encode({"iss": ISSUER, "aud": APP}, "", "none", {"kid": "k1"}),
        jwt.encode({"iss": ISSUER, "aud": APP}, "x" * 32, "HS256", {"kid": "k1"}),
        "",
        "a.b.c",
        "\u00e9.\u00e9.\u00e9",
    ],
)
async def test_no_other_token_does(given: str) -> None:
    assert not await Atlassian(k1=KEY).tokens().proves(given)


async def test_a_new_key_is_found_and_made_up_ones_cost_nothing() -> None:
    atlassian = Atlassian(k1=KEY)
    tokens = atlassian.tokens()
    assert await tokens.proves(token())
    for _ in range(50):
        assert not await tokens.proves(token(OTHER, "k2"))
    assert atlassian.asked == 1
    atlassian.keys["k2"] = OTHER
    atlassian.seconds += ASK_AGAIN_SECONDS
    assert await tokens.proves(token(OTHER, "k2"))
    assert atlassian.asked == 2


async def test_keys_that_cannot_be_read_prove_nothing_and_break_nothing() -> None:
    async def away() -> bytes:
        raise OSError("no way out")

    assert not await ForgeTokens(APP, away).proves(token())
