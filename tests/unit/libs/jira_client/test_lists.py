"""Lists in which anything may stand in the place of an entry, or of a field of one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.jira_client.lists import NAMED, Listed, joined, read_all
from libs.jira_client.models import Board, Field, FieldSchema, Project, Sprint, User

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NAMES = st.sampled_from(["id", "name", "key", "accountId", "active", "schema", "type", "state", "custom", "avatarUrls"])
GOOD: dict[type[msgspec.Struct], dict[str, Any]] = {
    Field: {"id": "customfield_1", "name": "Risk"},
    Project: {"id": "1", "key": "ABC"},
    Board: {"id": 1, "name": "B", "type": "scrum"},
    Sprint: {"id": 1, "name": "S", "state": "active"},
    User: {"accountId": "a", "displayName": "Ada"},
}


@pytest.mark.parametrize("kind", GOOD)
@given(odd=VALUES, names=st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_stands_beside_it_a_good_entry_is_read(
    kind: type[msgspec.Struct], odd: Any, names: dict[str, Any]
) -> None:
    good, changed = GOOD[kind], GOOD[kind] | names
    payloads = [Raw(msgspec.json.encode(entry)) for entry in (good, odd, changed, good)]
    listed = read_all(kind, payloads, "GET /here")
    expected = read_all(kind, payloads[:1], "")[0]
    assert listed[0] == listed[-1] == expected
    assert len(listed) == 4 or listed.notes
    assert listed.cut == ""


def test_an_unreadable_part_of_a_schema_costs_no_other() -> None:
    entry = {"id": "f", "schema": {"type": "array", "items": ["odd"], "custom": "sprint", "customId": {}}}
    (field,) = read_all(Field, [Raw(msgspec.json.encode(entry))], "")
    assert field.schema == FieldSchema(type="array", custom="sprint")


def test_notes_name_the_first_and_count_all() -> None:
    payloads = [Raw(b'{"id":"f%d","name":null}' % number) for number in range(NAMED + 3)]
    (note,) = read_all(Field, payloads, "GET /field").notes
    assert note.startswith(f"GET /field: {NAMED + 3} not as documented: f0 (name); f1 (name)")
    assert note.endswith("f4 (name); …")


def test_a_list_of_several_is_cut_when_one_of_them_is() -> None:
    whole = joined([Listed([1], notes=["odd"]), Listed([2], cut="ended early"), Listed([3])])
    assert (whole, whole.cut, whole.notes) == ([1, 2, 3], "ended early", ("odd",))
    assert whole.warnings == ("ended early", "odd")
    assert joined([]).warnings == ()
