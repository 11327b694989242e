"""Which sprints an issue is in, and its current one, kept right from both sides."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, exists, select

from services.projector.batch import Membership
from services.projector.issues.sprint_field import Entry
from services.projector.issues.sprints import NAMED, current_sprint, named_sprint
from services.projector.tables.rows import Key, Row, Tables
from services.projector.tables.upserts import by_site, insert_missing, upsert, upsert_unseen


def write_sprints(connection: Connection, tables: Tables, rows: Sequence[Row]) -> set[Key]:
    """Write sprints; the keys of those whose state is another now than the rows of their issues are based on."""
    if not rows:
        return set()
    known = _stored(connection, tables, {_key(row) for row in rows})
    newer = {_key(row): row for row in rows if known.get(_key(row), _ABSENT).version < row["version"]}
    upsert(connection, tables["sprint"], list(newer.values()))
    changed = {key for key, row in newer.items() if key in known and known[key].state != row["state"]}
    return changed | _disagreeing(connection, tables, newer.keys() - known.keys())


def write_named_sprints(connection: Connection, tables: Tables, named: Mapping[Key, Entry]) -> None:
    """Write the sprints that only issues show; those that were fetched, in this batch or before, know better."""
    unseen = named.keys() - _stored(connection, tables, set(named)).keys()
    rows = [named_sprint(site, sprint_id, named[site, sprint_id]) for site, sprint_id in sorted(unseen)]
    upsert_unseen(connection, tables["sprint"], rows)


def write_sprint_projects(connection: Connection, tables: Tables, found: set[tuple[str, str, str]]) -> None:
    """Write to which projects sprints belong: (site, project, sprint)."""
    rows = [
        {"site": site, "project_key": project, "sprint_id": sprint_id} for site, project, sprint_id in sorted(found)
    ]
    insert_missing(connection, tables["sprint_project"], rows)


class _Stored(NamedTuple):
    state: str
    version: int


_ABSENT: Final = _Stored("", 0)


def _key(row: Row) -> Key:
    return row["site"], row["sprint_id"]


def _disagreeing(connection: Connection, tables: Tables, sprints: set[Key]) -> set[Key]:
    """Those of the new sprints whose state is not what some stored issue says: until now its word counted."""
    sprint, member = tables["sprint"], tables["issue_sprint"]
    joined = (member.c.site == sprint.c.site) & (member.c.sprint_id == sprint.c.sprint_id)
    found: set[Key] = set()
    for site, ids in by_site(sprints):
        query = (
            select(sprint.c.sprint_id)
            .where((sprint.c.site == site) & sprint.c.sprint_id.in_(ids))
            .where(exists().where(joined & member.c.state.is_distinct_from(sprint.c.state)))
        )
        found.update((site, sprint_id) for sprint_id in connection.execute(query).scalars())
    return found


def _stored(connection: Connection, tables: Tables, keys: set[Key]) -> dict[Key, _Stored]:
    """Those of the sprints that were fetched."""
    sprint = tables["sprint"]
    found: dict[Key, _Stored] = {}
    for site, ids in by_site(keys):
        query = select(sprint.c.sprint_id, sprint.c.state, sprint.c.version).where(sprint.c.version > NAMED)
        for row in connection.execute(query.where((sprint.c.site == site) & sprint.c.sprint_id.in_(ids))):
            found[site, row.sprint_id] = _Stored(row.state, row.version)
    return found


def choose_sprints(
    connection: Connection, tables: Tables, rows: Sequence[Row], memberships: Mapping[Key, Sequence[Membership]]
) -> None:
    """Set `sprint_id` of issue rows that are about to be written. The sprints of this batch are written already."""
    named = {(site, member.sprint_id) for (site, _), members in memberships.items() for member in members}
    if not named:
        return
    by_id: dict[str, dict[str, str]] = {}
    for (site, sprint_id), stored in _stored(connection, tables, named).items():
        by_id.setdefault(site, {})[sprint_id] = stored.state
    for row in rows:
        members = memberships.get((row["site"], row["issue_id"]), ())
        if members:
            row["sprint_id"] = current_sprint(members, by_id.get(row["site"], {}))


def replace_memberships(
    connection: Connection, tables: Tables, stored: set[Key], memberships: Mapping[Key, Sequence[Membership]]
) -> None:
    """Make the memberships of issues what their newest version says; the `stored` ones may have others from before."""
    remove_memberships(connection, tables, stored)
    insert_missing(connection, tables["issue_sprint"], membership_rows(memberships))


def membership_rows(memberships: Mapping[Key, Sequence[Membership]]) -> list[Row]:
    return [
        {"site": site, "issue_id": issue_id, "sprint_id": member.sprint_id, "place": place, "state": member.state}
        for (site, issue_id), members in sorted(memberships.items())
        for place, member in enumerate(members)
    ]


def remove_memberships(connection: Connection, tables: Tables, issues: set[Key]) -> None:
    table = tables["issue_sprint"]
    for site, ids in by_site(issues):
        connection.execute(table.delete().where((table.c.site == site) & table.c.issue_id.in_(ids)))


def choose_again(connection: Connection, tables: Tables, sprints: set[Key]) -> None:
    """Set the current sprint of every stored issue that is in one of these sprints."""
    for site, ids in by_site(sprints):
        _choose_again(connection, tables, site, ids)


def _choose_again(connection: Connection, tables: Tables, site: str, sprint_ids: Sequence[str]) -> None:
    issue, sprint, member = tables["issue"], tables["sprint"], tables["issue_sprint"]
    concerned = select(member.c.issue_id).where((member.c.site == site) & member.c.sprint_id.in_(sprint_ids))
    found = connection.execute(
        select(member.c.issue_id, member.c.sprint_id, member.c.state, sprint.c.state, issue.c.sprint_id)
        .join(issue, (issue.c.site == member.c.site) & (issue.c.issue_id == member.c.issue_id))
        .join(
            sprint,
            (sprint.c.site == member.c.site) & (sprint.c.sprint_id == member.c.sprint_id) & (sprint.c.version > NAMED),
            isouter=True,
        )
        .where((member.c.site == site) & member.c.issue_id.in_(concerned))
        .order_by(member.c.issue_id, member.c.place)
    ).all()
    updates: list[Row] = []
    for issue_id, entries in itertools.groupby(found, key=lambda entry: entry[0]):
        members = list(entries)
        states = {entry[1]: entry[3] for entry in members if entry[3] is not None}
        chosen = current_sprint([Membership(entry[1], entry[2]) for entry in members], states)
        if chosen != members[0][4]:
            updates.append({"concerned": issue_id, "chosen": chosen})
    if updates:
        where = (issue.c.site == site) & (issue.c.issue_id == bindparam("concerned"))
        connection.execute(issue.update().where(where).values(sprint_id=bindparam("chosen")), updates)
