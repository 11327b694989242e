"""Rows that travel packed arrive as they are, whatever is in them."""

from __future__ import annotations

from sqlalchemy import Engine, select

from libs.read_tables import gone
from services.projector.batch import Absence, Entity
from services.projector.issues.absences import tombstone_row
from services.projector.tables.bulk import load, pack

TEXTS = (
    "",
    " ",
    "\\",
    "\\N",
    "\\.",
    "\t",
    "a\nb",
    "a\r\nb",
    "\r",
    "'",
    '"',
    "☃ ünï",
    "\x01\x7f",
    "NULL",
    "C:\\new\\t",
    "𝄞",
)


def test_rows_arrive_as_they_are(tables: Engine) -> None:
    rows = []
    for number, text in enumerate(TEXTS):
        absence = Absence(text, text, text, None if number % 2 else text, text or None, doubtful=number % 3 == 0)
        row = tombstone_row("issue", ("demo", f"{number}{text}"), Entity(number - 2**31 + 1, absence))
        rows.append(tuple(row[column.name] for column in gone.columns))
    packed = pack(tables.dialect.name, rows)
    with tables.begin() as connection:
        load(connection, gone, packed)
        load(connection, gone, pack(tables.dialect.name, []))
        found = {tuple(row) for row in connection.execute(select(gone))}
    assert found == set(rows)
