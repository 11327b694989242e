"""Objects of the schema are made of rows by what their annotations say."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

import strawberry
from strawberry.scalars import JSON

from services.graphql.reading.from_row import EMPTY_IS_NULL, FromRow, column, from_row
from services.graphql.reading.reader import Row


class Colour(enum.Enum):
    RED = "red"


@strawberry.type
class Thing(FromRow):
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(metadata=column("position"))
    name: str
    colour: Colour
    at: datetime
    ended: datetime | None
    tags: list[str]
    details: JSON | None
    note: str | None = strawberry.field(metadata=EMPTY_IS_NULL)
    comment: str | None
    kind: str
    words: str | None = strawberry.field(metadata=column("said") | EMPTY_IS_NULL)

    @strawberry.field
    def never_a_column(self) -> str:
        return self.name


ROW = {
    "position": 7,
    "name": "",
    "colour": "red",
    "at": "2026-01-02T03:04:05.678Z",
    "ended": None,
    "tags": '["a"]',
    "details": '{"code": 1}',
    "note": "",
    "comment": "",
    "kind": "error",
    "said": "",
}


def test_every_field_comes_in_the_form_that_its_annotation_says() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    assert Thing.of(ROW) == Thing(
        row=ROW,
        id=strawberry.ID("7"),
        name="",
        colour=Colour.RED,
        at=at,
        ended=None,
        tags=["a"],
        details=JSON({"code": 1}),
        note=None,
        comment="",
        kind="error",
        words=None,
    )
    assert isinstance(Thing.of(ROW).id, str)
    assert Thing.of({**ROW, "ended": ROW["at"], "details": None}).ended == at


def test_what_is_given_is_no_column() -> None:
    row = {name: value for name, value in ROW.items() if name not in ("tags", "kind")}
    made = from_row(Thing, row, tags=["given"], kind="of fields that are called like our own names")
    assert (made.tags, made.kind) == (["given"], "of fields that are called like our own names")
    assert Thing.of(ROW).tags == ["a"]
