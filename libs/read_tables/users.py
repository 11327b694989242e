"""Jira's users."""

import re
from typing import Final

from sqlalchemy import Table

from libs.read_tables.columns import flag, key, optional, string, version
from libs.read_tables.version import metadata

UNKNOWN_ACCOUNT: Final = "unknown"
"""Stands for every user of whom Jira says neither account nor name: deleted accounts, corrupted records."""

ANONYMOUS: Final = "anonymous"
"""Stands for every author of what nobody had to log in for: Jira writes no author at all."""

NO_ACCOUNT: Final = "name:"
"""Begins the id of a user without an account (Server, imported): the name follows. No account id begins like this."""

FORMER_USER: Final = "Former user"
"""What Jira shows for accounts that were closed."""

UNNAMED: Final = "Unknown user"
"""Shown for an account of which Jira has not said the name yet."""

jira_user: Final = Table(
    "jira_user",
    metadata,
    key("site"),
    key("account_id"),
    string("display_name"),
    flag("active"),
    string("account_type"),  # atlassian, app, customer, unknown
    optional("avatar_url"),
    version(),  # 0: named by other rows, not fetched yet
)

_OPENS: Final = "\ufdd0"
_CLOSES: Final = "\ufdd1"
"""Unicode keeps these two for a program's own use: they are no characters, so no text of a person has them."""

MENTION: Final = re.compile(f"{_OPENS}@([^{_OPENS}{_CLOSES}]+){_CLOSES}")
"""A mention in a readable text, with the account id in its group; to be shown with the user's name."""


def mention(account_id: str) -> str:
    """A mention whose name Jira has not written.

    The name may be learnt after the text and may change, so the text names the account and the reader looks it up.
    """
    return f"{_OPENS}@{account_id}{_CLOSES}"
