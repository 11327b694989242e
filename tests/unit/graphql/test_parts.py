"""Settings, the token, cursors, the next run."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime import SettingsError, read_settings
from services.graphql.auth import admin_token
from services.graphql.cursors import BadCursorError, decode, encode
from services.graphql.settings import Settings
from services.graphql.types import next_run


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_proxy(host: str) -> None:
    assert read_settings(Settings, {"JDI_HOST": host}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "jdi.example"])  # noqa: S104 - refused
def test_beyond_loopback_only_behind_a_proxy(host: str) -> None:
    with pytest.raises(SettingsError, match="JDI_BEHIND_PROXY=1"):
        read_settings(Settings, {"JDI_HOST": host})
    assert read_settings(Settings, {"JDI_HOST": host, "JDI_BEHIND_PROXY": "1"}).host == host


def test_a_given_token_is_used_and_not_written(tmp_path: Path) -> None:
    assert admin_token("given", tmp_path) == ("given", False)
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    token, made = admin_token(None, folder)
    assert made
    assert len(token) >= 32
    (file,) = folder.iterdir()
    assert file.name == "admin-token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert admin_token(None, folder) == (token, False)


def test_an_empty_token_file_is_replaced_and_never_matches_an_empty_token(tmp_path: Path) -> None:
    (tmp_path / "admin-token").write_text("\n")
    token, made = admin_token(None, tmp_path)
    assert token
    assert made
    assert (tmp_path / "admin-token").stat().st_mode & 0o777 == 0o600


@given(st.text(), st.text())
def test_a_cursor_comes_back_as_it_went(updated: str, issue_id: str) -> None:
    cursor = encode((updated, issue_id))
    assert cursor.isascii()
    assert decode(cursor, 2) == (updated, issue_id)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        values = decode(text, 2)
    except BadCursorError:
        return
    assert len(values) == 2


@pytest.mark.parametrize(
    ("cron", "timezone", "now", "due"),
    [
        ("*/15 * * * *", "UTC", "2026-01-02T03:04:05", "2026-01-02T03:15:00"),
        ("*/15 * * * *", "UTC", "2026-01-02T03:15:00", "2026-01-02T03:30:00"),
        ("0 9 * * *", "Asia/Kolkata", "2026-01-02T03:00:00", "2026-01-02T03:30:00"),
        # Temporal wants the 13th to be a Friday; other crons would take the next Friday or the next 13th.
        ("0 0 13 * 5", "UTC", "2026-03-01T12:00:00", "2026-03-13T00:00:00"),
        ("0 0 14 * 5", "UTC", "2026-03-01T12:00:00", "2026-08-14T00:00:00"),
        # Berlin goes from UTC+1 to UTC+2 on 29 March 2026: nine o'clock there is an hour earlier in UTC from then on.
        ("0 9 * * *", "Europe/Berlin", "2026-03-28T06:00:00", "2026-03-28T08:00:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-29T07:00:00"),
    ],
)
def test_the_next_run_is_read_in_the_zone_of_the_schedule(cron: str, timezone: str, now: str, due: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_run(cron, timezone, moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(("cron", "timezone"), [("nonsense", "UTC"), ("* * * * *", "Nowhere/Else"), ("", "")])
def test_a_schedule_that_cannot_be_read_has_no_next_run(cron: str, timezone: str) -> None:
    assert next_run(cron, timezone) is None
