"""What the doctor says of Jira's credentials."""

from __future__ import annotations

import pytest

from services.cli.checks.findings import Trouble
from services.cli.doctor import _credentials

OAUTH = {"JIRA_OAUTH_CLIENT_ID": "id", "JIRA_OAUTH_CLIENT_SECRET": "s"}


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        (
            {"JIRA_EMAIL": "a@b.example", "JIRA_API_TOKEN": "t"},
            "JIRA_EMAIL and JIRA_API_TOKEN are set: by an API token",
        ),
        (OAUTH, "JIRA_OAUTH_CLIENT_ID and JIRA_OAUTH_CLIENT_SECRET are set: by OAuth 2.0, as a service account"),
        (
            OAUTH | {"JIRA_OAUTH_REFRESH_TOKEN": "r"},
            "JIRA_OAUTH_CLIENT_ID and JIRA_OAUTH_CLIENT_SECRET are set: by OAuth 2.0, with a refresh token",
        ),
    ],
)
async def test_it_says_which_way_one_signs_in(environ: dict[str, str], text: str) -> None:
    assert await _credentials(environ, proved=False) == text


@pytest.mark.parametrize(
    ("environ", "lacks"),
    [
        ({}, "JIRA_EMAIL and JIRA_API_TOKEN not set"),
        ({"JIRA_OAUTH_CLIENT_ID": "id"}, "JIRA_OAUTH_CLIENT_SECRET not set"),
    ],
)
async def test_what_is_missing_is_named(environ: dict[str, str], lacks: str) -> None:
    with pytest.raises(Trouble, match=f"^{lacks}$"):
        await _credentials(environ, proved=False)
    assert "the ingestor that runs has its own" in await _credentials(environ, proved=True)
