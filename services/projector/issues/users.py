"""Users: event to row, and the rows of those whom nobody has fetched."""

from collections.abc import Iterable, Sequence
from typing import Any

from libs.events import JiraUserFetched
from libs.jira_client.models import StoredUser
from libs.read_tables import UNKNOWN_ACCOUNT, jira_user
from services.projector.batch import Changes
from services.projector.issues import payloads
from services.projector.issues.columns import columns_of
from services.projector.tables.rows import Key

AVATAR_SIZES = ("48x48", "32x32", "24x24", "16x16")
"""Best first."""

_columns = columns_of(StoredUser, jira_user)


def user_fetched(event: JiraUserFetched, changes: Changes) -> None:
    user = payloads.users.decode(event.payload)
    row = _columns(user)
    row.update(
        site=event.site,
        account_id=event.account_id,
        display_name=row["display_name"] or event.account_id,
        account_type=row["account_type"] or "unknown",
        avatar_url=_avatar(user),
        version=event.stream_version,
    )
    changes.put("jira_user", (event.site, event.account_id), event.stream_version, row)


def placeholders(accounts: Iterable[Key]) -> Sequence[dict[str, Any]]:
    """Rows, sorted, for users that other rows name; they count only until the user itself is fetched."""
    return [
        {
            "site": site,
            "account_id": account,
            "display_name": "Former user" if account == UNKNOWN_ACCOUNT else "Unknown user",
            "active": False,
            "account_type": "unknown",
            "avatar_url": None,
            "version": 0,
        }
        for site, account in sorted(accounts)
    ]


def _avatar(user: StoredUser) -> str | None:
    urls = user.avatar_urls or {}
    return next((urls[size] for size in AVATAR_SIZES if urls.get(size)), None)
