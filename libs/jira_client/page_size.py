"""How many issues a site bears in one answer, as the failures of larger ones have shown. Pure.

A gateway may refuse an answer over some size, or Jira be too slow for a hundred issues at once. Whoever meets that
divides the page; what was learned of it is remembered here, so that the pages after it do not pay for it again.
"""

from typing import Final

from libs.jira_client.failures.errors import BadResponse, JiraError, JiraTimeout, NetworkGlitch, UpstreamError

FIRST_PATIENCE: Final = 4
"""Requests that must work before twice as many issues are tried; doubled each time that turns out to be too soon."""
LONGEST_PATIENCE: Final = 64


def smaller_may_help(error: JiraError) -> bool:
    """Whether fewer issues in one answer may come where these did not: it was too large, too slow, or cut on its way.

    A request that asks for too much is refused like any wrong one, hence the status. What has a status and is not
    believed in spite of it, such as a page token that comes again, is no matter of size.
    """
    if isinstance(error, BadResponse):
        return error.retryable or error.evidence.status is None
    return isinstance(error, JiraTimeout | UpstreamError | NetworkGlitch) or error.evidence.status == 413


class PageSize:
    """The number of issues to ask for at once, of one site."""

    def __init__(self, most: int) -> None:
        """Begin with `most`, and never exceed it."""
        self.most = self.size = most
        self.whole = True
        """Whether nothing speaks against whole pages."""
        self._worked = 0
        self._patience = FIRST_PATIENCE // 2

    def failed(self, size: int) -> None:
        """More than `size` issues did not come."""
        self.size = max(1, min(self.size, size))
        self.whole = False
        self._worked = 0
        self._patience = min(LONGEST_PATIENCE, 2 * self._patience)

    def worked(self, requests: int) -> None:
        """So many requests of up to `size` issues were answered."""
        self._worked += requests
        if self.whole or self._worked < self._patience:
            return
        self._worked = 0
        self.whole = self.size == self.most
        self.size = min(self.most, 2 * self.size)
