"""Roles and reach; what a token looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.access import Principal, Role
from libs.access.secret_text import hash_of, id_in, new_secret


@pytest.mark.parametrize(
    ("role", "included"),
    [
        (Role.READER, {Role.READER}),
        (Role.OPERATOR, {Role.READER, Role.OPERATOR}),
        (Role.ADMIN, {Role.READER, Role.OPERATOR, Role.ADMIN}),
    ],
)
def test_each_role_includes_those_before_it(role: Role, included: set[Role]) -> None:
    principal = Principal("ann", role, None, None, None)
    assert {other for other in Role if role.includes(other)} == included
    assert {other for other in Role if principal.may(other)} == included


def test_a_reach_is_of_site_and_key_together() -> None:
    within = Principal("ann", Role.READER, frozenset({("acme", "ONE"), ("beta", "TWO")}), None, None)
    assert within.sees("acme", "ONE")
    assert not within.sees("acme", "TWO")
    assert not within.sees("beta", "ONE")
    assert Principal("ann", Role.READER, None, None, None).sees("any", "PROJECT")


def test_a_token_names_its_id() -> None:
    token_id, secret = new_secret()
    assert secret.startswith("jdi_")
    assert id_in(secret) == token_id
    assert len(secret.removeprefix(f"jdi_{token_id}_")) == 43


def test_tokens_do_not_repeat() -> None:
    assert len({new_secret() for _ in range(1000)}) == 1000


@given(st.text())
def test_other_texts_are_no_tokens_and_can_still_be_hashed(text: str) -> None:
    assert id_in(text) is None
    assert len(hash_of(text)) == 32


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: f"{text} ", lambda text: text[:-1], lambda text: text + "x"]
)
def test_nearly_a_token_is_none(change: object) -> None:
    _, secret = new_secret()
    assert callable(change)
    assert id_in(change(secret)) is None
