"""Keys that issues had before they moved, or before their project was renamed.

Kept of an issue is each key under which it was ever seen, but for the one that it shows now. That is the same whatever
comes first and in whatever batches. Most batches bring no other key, and so write nothing here.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, select

from services.projector.batch import Held
from services.projector.tables.rows import Key, Row, Tables
from services.projector.tables.upserts import by_site, upsert


def held(row: Row) -> Held:
    """The key of an issue's row."""
    return Held(row["key"], row["updated"], row["version"])


def stored_keys(connection: Connection, tables: Tables, keys: Iterable[Key]) -> dict[Key, Held]:
    """The keys of those of the issues that are there."""
    issue = tables["issue"]
    found: dict[Key, Held] = {}
    for site, ids in by_site(keys):
        query = select(issue.c.issue_id, issue.c.key, issue.c.updated, issue.c.version)
        for issue_id, *parts in connection.execute(query.where((issue.c.site == site) & issue.c.issue_id.in_(ids))):
            found[site, issue_id] = Held(*parts)
    return found


def write_former_keys(
    connection: Connection, tables: Tables, seen: Iterable[tuple[Key, Held]], shown: Mapping[Key, str]
) -> None:
    """Keep those of the keys that are not the ones which their issues show now.

    Args:
        connection: in a transaction.
        tables: that are written.
        seen: issues with keys that each has or had.
        shown: issue -> its key now; one that is absent is left out.
    """
    newest: dict[tuple[Key, str], Held] = {}
    for issue, one in seen:
        if shown.get(issue) != one.key:
            known = newest.get((issue, one.key))
            newest[issue, one.key] = one if known is None or known.version < one.version else known
    rows = [
        {"site": issue[0], "issue_id": issue[1], "key": key, "updated": one.updated, "version": one.version}
        for (issue, key), one in sorted(newest.items())
    ]
    upsert(connection, tables["former_key"], rows)


def forget_regained_keys(connection: Connection, tables: Tables, shown: Mapping[Key, str]) -> None:
    """Drop the keys that issues have again."""
    if not shown:
        return
    former = tables["former_key"]
    this = (
        (former.c.key == bindparam("regained"))
        & (former.c.site == bindparam("at"))
        & (former.c.issue_id == bindparam("issue"))
    )
    rows = [{"at": site, "issue": issue_id, "regained": key} for (site, issue_id), key in sorted(shown.items())]
    connection.execute(former.delete().where(this), rows)
