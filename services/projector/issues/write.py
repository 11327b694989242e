"""Write what Jira holds: users, sprints, issues with their memberships, comments and worklogs."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from services.projector.batch import Absence, Changes, Held
from services.projector.issues.absences import (
    Settled,
    any_absence,
    hide_children,
    settle,
    show_children,
    unhide,
)
from services.projector.issues.former_keys import forget_regained_keys, held, stored_keys, write_former_keys
from services.projector.issues.memberships import (
    choose_again,
    choose_sprints,
    remove_memberships,
    replace_memberships,
    write_named_sprints,
    write_sprint_projects,
    write_sprints,
)
from services.projector.issues.users import named, placeholders
from services.projector.tables.rows import Key, Row, Tables
from services.projector.tables.upserts import insert_missing, upsert, upsert_unseen


def write_issues(connection: Connection, tables: Tables, changes: Changes) -> None:
    """Bring the tables of Jira's entities up to date with the batch."""
    upsert(connection, tables["jira_user"], _rows(changes, "jira_user"))
    upsert_unseen(connection, tables["jira_user"], named(changes.people))
    insert_missing(connection, tables["jira_user"], [changes.nicknames[key] for key in sorted(changes.nicknames)])
    insert_missing(connection, tables["jira_user"], placeholders(changes.accounts))
    moved_sprints = write_sprints(connection, tables, _rows(changes, "sprint"))
    write_named_sprints(connection, tables, changes.sprints)
    write_sprint_projects(connection, tables, changes.sprint_projects)
    look = any_absence(connection, tables)
    left, returned = _write_issues(connection, tables, changes, look=look)
    touched = _write_children(connection, tables, changes, look=look)
    show_children(connection, tables, returned)
    hide_children(connection, tables, left, touched)
    choose_again(connection, tables, moved_sprints)


def _write_issues(connection: Connection, tables: Tables, changes: Changes, *, look: bool) -> tuple[set[Key], set[Key]]:
    """Issues with their memberships; those that left and those that returned."""
    entities = changes.entities["issue"]
    if not entities:
        return set(), set()
    stored = stored_keys(connection, tables, entities)
    settled = settle(connection, tables, "issue", entities, look=look)
    rows = [row for row in settled.rows if _key(row) not in stored or stored[_key(row)].version < row["version"]]
    memberships = {_key(row): changes.memberships[_key(row)] for row in rows}
    choose_sprints(connection, tables, rows, memberships)
    upsert(connection, tables["issue"], rows)
    replace_memberships(connection, tables, stored.keys() & memberships.keys(), memberships)
    remove_memberships(connection, tables, settled.left)
    _write_keys(connection, tables, changes, stored, rows, settled)
    return settled.left, settled.returned


def _write_keys(
    connection: Connection,
    tables: Tables,
    changes: Changes,
    stored: Mapping[Key, Held],
    written: Sequence[Row],
    settled: Settled,
) -> None:
    """Former keys, of what was `stored` before, of what is late, and of what the batch itself has replaced."""
    now = {_key(row): row["key"] for row in written}
    late = [
        (key, held(entity.content))
        for key, entity in changes.entities["issue"].items()
        if key not in now and not isinstance(entity.content, Absence)
    ]
    other = {key: one for key, one in stored.items() if now.get(key) != one.key}
    shown = {key: one.key for key, one in other.items() if key not in settled.left} | now
    write_former_keys(connection, tables, [*other.items(), *late, *changes.held], shown)
    again = {key for key in now if key in other or key in settled.returned}
    forget_regained_keys(connection, tables, {key: now[key] for key in again})


def _write_children(connection: Connection, tables: Tables, changes: Changes, *, look: bool) -> set[Key]:
    """Comments and worklogs; where there is an absence, the issues that they hang on."""
    touched: set[Key] = set()
    for kind in ("comment", "worklog"):
        entities = changes.entities[kind]
        if entities:
            rows = settle(connection, tables, kind, entities, look=look).rows
            if look:
                rows = unhide(connection, tables, kind, rows)
                touched.update(_key(row) for row in rows)
            upsert(connection, tables[kind], rows)
    return touched


def _rows(changes: Changes, table: str) -> list[Row]:
    """The rows of entities that are never absent, sorted by key."""
    found = sorted(changes.entities[table].items())
    return [entity.content for _, entity in found if not isinstance(entity.content, Absence)]


def _key(row: Row) -> Key:
    return row["site"], row["issue_id"]
