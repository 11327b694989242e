"""When two payloads say the same."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import canonical, digest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_and_volatile_ones_are_left_out_at_any_depth() -> None:
    payload = (
        b'{"self":"a","b":[{"expand":"x","lastViewed":1,"kept":2}],"a":{"iconUrl":"i","avatarUrls":{},"z":1,"y":2}}'
    )
    assert canonical(payload) == b'{"a":{"y":2,"z":1},"b":[{"kept":2}]}'


def test_users_inside_are_their_account_alone() -> None:
    payload = b'{"author":{"accountId":"a-1","displayName":"Anne","active":true}}'
    assert canonical(payload) == b'{"author":{"accountId":"a-1"}}'


def test_a_user_as_the_payload_itself_keeps_what_is_said_of_them() -> None:
    payload = b'{"displayName":"Anne","accountId":"a-1","self":"x"}'
    assert canonical(payload) == b'{"accountId":"a-1","displayName":"Anne"}'


def test_a_payload_may_be_any_json() -> None:
    assert canonical(b'[{"self":1},2]') == b"[{},2]"
    assert canonical(msgspec.Raw(b"null")) == b"null"
    with pytest.raises(msgspec.DecodeError):
        canonical(b"{")


@given(json_values)
def test_the_order_of_keys_says_nothing(value: object) -> None:
    assert canonical(json.dumps(_reversed(value)).encode()) == canonical(json.dumps(value).encode())


@given(json_values)
def test_the_canonical_form_is_its_own(value: object) -> None:
    normal = canonical(json.dumps(value).encode())
    assert canonical(normal) == normal


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


def test_the_digest_is_of_the_bytes_and_for_ever_the_same() -> None:
    assert digest(b'{"a":1}') == digest(msgspec.Raw(b'{"a":1}'))
    assert digest(b'{"a":1}').hex() == "2c6b113b8dd15ffbded9860b43eb0c6c"
    assert digest(b'{"a": 1}') != digest(b'{"a":1}')
