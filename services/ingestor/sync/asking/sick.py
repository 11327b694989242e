"""Whether a failure concerns one look-up or one issue's children alone, or every call."""

from __future__ import annotations

from libs.jira_client import AuthExpired, JiraClient, JiraError, NetworkGlitch, RateLimited, Scope
from services.ingestor.sync.step import ONE_SICK


async def is_one_sick(jira: JiraClient, error: JiraError) -> bool:
    """Whether a failure costs no more than what was asked for.

    A refused token and a broken connection concern every call, as it seems. One endpoint may answer so by itself, as
    the agile API does without a licence for it: then another call succeeds.
    """
    if isinstance(error, ONE_SICK):
        return True
    if not _may_be_one(error):
        return False
    try:
        await jira.verify_credentials()
    except JiraError:
        return False
    return True


def _may_be_one(error: JiraError) -> bool:
    if isinstance(error, RateLimited):
        return error.scope is not Scope.SITE
    return isinstance(error, AuthExpired | NetworkGlitch)
