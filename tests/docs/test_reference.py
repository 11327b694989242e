"""The reference says what the code says. `make reference` writes it anew."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, FormatChecker

from libs.events import TOPIC_OF, TOPICS, Event
from tests.docs.reference import events as events_page
from tests.docs.reference.__main__ import FOLDER, WRITTEN
from tests.unit.libs.events.types.test_round_trip import any_event

SCHEMA = json.loads((FOLDER / events_page.SCHEMA_ID).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == WRITTEN[name]()


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == WRITTEN.keys()


def test_every_event_and_every_field_of_it_stands_on_the_page() -> None:
    page = events_page.page()
    for topic, kind in TOPICS.items():
        _, _, section = page.partition(f"### {topic}\n")
        section = section.partition("\n## ")[0].partition("\n### ")[0]
        own = {field.encode_name for field in msgspec.structs.fields(kind)} - set(Event.__struct_fields__)
        assert own <= {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}, topic


def test_the_schema_is_one_and_has_every_event() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert TOPICS.keys() <= SCHEMA["$defs"].keys()


@given(any_event)
def test_what_is_published_is_as_the_schema_says(event: Event) -> None:
    schema = {**SCHEMA, "$ref": f"#/$defs/{TOPIC_OF[type(event)]}"}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(json.loads(msgspec.json.encode(event)))
