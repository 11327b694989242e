"""A version follows from the shape of the tables, and orders the programs that meet one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Column, Engine, Index, MetaData, String, Table, create_engine, insert, update
from sqlalchemy.pool import StaticPool

from libs.read_tables import PROJECTION, VERSION, issue, migrate, number, projection, readiness, shape

FIRST_NUMBERED = 4
"""The version of programs that knew no shapes."""


@pytest.fixture
def tables() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    yield engine
    engine.dispose()


@pytest.fixture
def run_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From here on, the program is the one whose tables have this fingerprint."""
    return lambda fingerprint: monkeypatch.setattr(shape, "this_shape", lambda: fingerprint)


def copy_of_issue() -> Table:
    return issue.to_metadata(MetaData())


def add_column(table: Table) -> None:
    table.append_column(Column("due_date", String))


def add_index(table: Table) -> None:
    Index("issue_by_status", table.c.status)


def forbid_null(table: Table) -> None:
    table.c.priority.nullable = False


@pytest.mark.parametrize("change", [add_column, add_index, forbid_null])
def test_any_change_of_a_table_changes_its_fingerprint(change: Callable[[Table], None]) -> None:
    changed = copy_of_issue()
    change(changed)
    assert shape.fingerprint([changed]) != shape.fingerprint([issue])


def test_without_a_change_the_fingerprint_stays() -> None:
    assert shape.fingerprint([copy_of_issue()]) == shape.fingerprint([issue])
    assert shape.fingerprint([issue], VERSION + 1) != shape.fingerprint([issue])


def test_tables_from_before_shapes_are_of_this_program_if_their_shape_is(
    tables: Engine, run_as: Callable[[str], None]
) -> None:
    projection.create(tables)
    legacy = {"name": PROJECTION, "version": FIRST_NUMBERED, "position": 9, "generation": 0}
    with tables.begin() as connection:
        connection.execute(insert(projection).values(legacy))
    run_as(next(iter(shape.NUMBERED)))
    assert readiness(tables) is None
    run_as("another")
    assert readiness(tables) == (
        "the read tables are at version 4, this program needs a newer one; the projector rebuilds them"
    )


def test_of_two_programs_the_later_has_the_higher_number(tables: Engine, run_as: Callable[[str], None]) -> None:
    run_as("old")
    migrate(tables)
    assert readiness(tables) is None
    run_as("new")
    migrate(tables)
    assert f"at version {VERSION}, this program needs {VERSION + 1}" in (readiness(tables) or "")
    with tables.begin() as connection:
        new = number(connection)
        connection.execute(update(projection).where(projection.c.name == PROJECTION).values(version=new))
    assert readiness(tables) is None
    run_as("old")
    assert f"at version {VERSION + 1}, this program needs {VERSION}" in (readiness(tables) or "")
    migrate(tables)
    with tables.begin() as connection:
        assert number(connection) == VERSION, "who came first stays the older one"
