"""Settings, cursors, the next run."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime import SettingsError, read_settings
from services.graphql.api.context import Defaults
from services.graphql.api.syncs.backoff import next_run
from services.graphql.reading.pages import BadCursorError, decode, encode
from services.graphql.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_proxy(host: str) -> None:
    assert read_settings(Settings, {"JDI_HOST": host}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "jdi.example"])  # noqa: S104 - refused
def test_beyond_loopback_only_behind_a_proxy(host: str) -> None:
    with pytest.raises(SettingsError, match="JDI_BEHIND_PROXY=1"):
        read_settings(Settings, {"JDI_HOST": host})
    assert read_settings(Settings, {"JDI_HOST": host, "JDI_BEHIND_PROXY": "1"}).host == host
    assert read_settings(Settings, {"JDI_HOST": host, "JDI_PUBLISHED_ON_LOOPBACK": "1"}).host == host


def test_a_token_that_could_be_guessed_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="JDI_ADMIN_TOKEN") as refused:
        read_settings(Settings, {"JDI_ADMIN_TOKEN": "fifteen letters"})
    assert "fifteen letters" not in str(refused.value)
    assert read_settings(Settings, {"JDI_ADMIN_TOKEN": "sixteen letters."}).admin_token == "sixteen letters."


def test_the_site_is_that_of_the_environment_or_unknown() -> None:
    assert read_settings(Settings, {}).site is None
    assert read_settings(Settings, {"JIRA_SITE": "acme"}).site == "acme"
    assert read_settings(Settings, {"JIRA_BASE_URL": "https://acme.atlassian.net"}).site == "acme"
    with pytest.raises(GraphQLError, match="JIRA_SITE"):
        _ = Defaults().site


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
