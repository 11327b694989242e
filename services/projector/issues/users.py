"""Users: event to row, and the rows of those whom nobody has fetched."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from libs.events import JiraUserFetched
from libs.jira_client.models import StoredUser
from libs.read_tables import ANONYMOUS, FORMER_USER, NO_ACCOUNT, UNKNOWN_ACCOUNT, UNNAMED, jira_user
from services.projector.batch import Changes
from services.projector.issues import payloads
from services.projector.issues.columns import columns_of
from services.projector.tables.rows import Key, Row
from services.projector.tables.text import storable

AVATAR_SIZES = ("48x48", "32x32", "24x24", "16x16")
"""Best first."""

_columns = columns_of(StoredUser, jira_user)


def user_fetched(event: JiraUserFetched, changes: Changes) -> None:
    user = payloads.users.read(event.payload, event.stream_id)
    row = _columns(user)
    row.update(
        site=event.site,
        account_id=event.account_id,
        display_name=row["display_name"] or event.account_id,
        account_type=row["account_type"] or "unknown",
        active=user.active is not False,
        avatar_url=_avatar(user),
        version=event.stream_version,
    )
    changes.put("jira_user", (event.site, event.account_id), event.stream_version, row)


def describe(site: str, person: payloads.Person | None, changes: Changes) -> None:
    """Note what a record says of somebody whom perhaps nobody fetches; of one without an account nobody does."""
    if person is None:
        return
    if payloads.has_account(person):
        name = person.display_name
        if name and not name.isspace():
            changes.people[site, person.account_id or ""] = (name, person.active)
        return
    account_id, shown = payloads.account(person), payloads.display_name(person)
    if shown is not None:
        changes.people[site, account_id] = (shown, person.active)
    elif account_id.startswith(NO_ACCOUNT):
        name = account_id.removeprefix(NO_ACCOUNT)
        changes.nicknames.setdefault(
            (site, account_id), _unfetched(site, account_id, name, active=person.active is not False)
        )


def named(people: Mapping[Key, tuple[str, bool | None]]) -> Sequence[Row]:
    """Rows, sorted, for users as records name them; they count only until the user itself is fetched."""
    rows: dict[Key, Row] = {}
    for (site, account), (name, active) in sorted(people.items()):
        key = (site, storable(account))
        rows[key] = _unfetched(*key, storable(name), active=active is not False)
    return list(rows.values())


PLACEHOLDERS: Final = {UNKNOWN_ACCOUNT: (FORMER_USER, False), ANONYMOUS: ("Anonymous", True)}
"""Name, and whether active, of those who stand for many."""


def placeholders(accounts: Iterable[Key]) -> Sequence[Row]:
    """Rows, sorted, for users of whom other rows know the account alone; they count only until more is known."""
    rows = []
    for site, account in sorted(accounts):
        name, active = PLACEHOLDERS.get(account, (UNNAMED, False))
        rows.append(_unfetched(site, account, name, active=active))
    return rows


def _unfetched(site: str, account_id: str, name: str, *, active: bool) -> Row:
    return {
        "site": site,
        "account_id": account_id,
        "display_name": name,
        "active": active,
        "account_type": "unknown",
        "avatar_url": None,
        "version": 0,
    }


def _avatar(user: StoredUser) -> str | None:
    urls = user.avatar_urls or {}
    return next((storable(url) for size in AVATAR_SIZES if (url := urls.get(size))), None)
