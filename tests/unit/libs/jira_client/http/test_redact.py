"""No secret leaves in a text."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.http.redact import MASK, WINDOW, Redactor

SECRET = "pa55/wo+rd=with&signs"


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        quote(SECRET, safe=""),
        f"<pre>{SECRET}</pre>",
        f"x{SECRET}{SECRET}y",
    ],
)
def test_live_secrets_in_every_form(text: str) -> None:
    shown = Redactor((SECRET,))(text)
    assert MASK in shown
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode(), quote(SECRET, safe="")):
        assert form not in shown


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token ATATT3xFfGF0abcdef=12AB rejected", "ATATT3xFfGF0abcdef"),
        ("Authorization: Basic cm9ib3Q6c2VjcmV0", "cm9ib3Q6c2VjcmV0"),
        ("authorization: bearer abc.def-ghi", "abc.def-ghi"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.sig", "eyJhbGci"),
        ("https://user:hunter2@acme.example/x", "hunter2"),
        ("GET /x?access_token=abc123&y=1", "abc123"),
        ("mail robot@acme.example about it", "robot@acme"),
        ("https://hooks.slack.com/services/T0/B0/XyZ", "XyZ"),
    ],
)
def test_shapes_of_secrets(text: str, secret: str) -> None:
    assert secret not in Redactor()(text)


@given(at=st.integers(0, WINDOW + 200), limit=st.integers(20, 300))
def test_no_half_of_a_secret_survives_a_cut(at: int, limit: int) -> None:
    shown = Redactor((SECRET,))("." * at + SECRET + "." * 100, limit)
    assert len(shown) <= limit
    assert SECRET[:8] not in shown


def test_no_half_of_a_secret_survives_at_the_end_of_the_window() -> None:
    filling = "ATATT" + "x" * (WINDOW - 20) + " "
    assert SECRET[:5] not in Redactor((SECRET,))(filling + SECRET * 3, 1000)


def test_one_printable_line() -> None:
    assert Redactor()("a\r\n\tb\x00\x1b[31mc  d") == "a b [31mc d"


def test_repr_shows_nothing() -> None:
    assert SECRET not in repr(Redactor((SECRET,)))


@given(st.text())
def test_ordinary_use_never_fails(text: str) -> None:
    assert "\n" not in Redactor(("", "x"))(text)
