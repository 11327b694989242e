"""What changed in Jira's list of fields, and what a decoder says of an answer that does not fit."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client import Field, FieldSchema
from services.ingestor.sync.records.drift import (
    Catalogue,
    Drift,
    FieldChange,
    KnownField,
    catalogue_of,
    decode_error,
    drifts,
    type_of,
)

IDS = st.sampled_from([f"customfield_{number}" for number in range(6)])
NAMES = st.sampled_from(["Risk", "Team", "Sprint"])
TYPES = st.sampled_from(["string", "number", "array of option"])
CATALOGUES = st.dictionaries(IDS, st.builds(KnownField, NAMES, TYPES))


def applied(before: Catalogue, found: list[Drift]) -> Catalogue:
    """The fields after those changes."""
    fields = dict(before)
    for drift in found:
        old = fields.get(drift.field_id)
        if drift.change is FieldChange.APPEARED:
            assert old is None
            fields[drift.field_id] = KnownField(drift.field_name, drift.after or "")
        elif drift.change is FieldChange.VANISHED:
            assert old == KnownField(drift.field_name, drift.before or "")
            del fields[drift.field_id]
        elif drift.change is FieldChange.TYPE_CHANGED:
            assert old
            assert old.type == drift.before
            fields[drift.field_id] = KnownField(old.name, drift.after or "")
        else:
            assert old
            assert old.name == drift.before
            fields[drift.field_id] = KnownField(drift.after or "", old.type)
    return fields


@given(CATALOGUES, CATALOGUES)
def test_the_drifts_lead_from_the_one_to_the_other(before: Catalogue, after: Catalogue) -> None:
    assert applied(before, drifts(before, after)) == after


def test_a_name_that_cannot_be_read_for_a_while_is_no_change() -> None:
    named, nameless = (catalogue_of([Field(id="customfield_1", name=name)]) for name in ("Risk", ""))
    assert drifts(named, nameless) == []
    assert drifts(nameless, named) == []


@given(CATALOGUES)
def test_the_same_fields_have_not_drifted(fields: Catalogue) -> None:
    assert drifts(fields, dict(sorted(fields.items(), reverse=True))) == []


@given(CATALOGUES)
def test_what_is_remembered_is_read_again_as_it_was(fields: Catalogue) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fields), type=dict[str, KnownField]) == fields


def test_a_type_says_what_it_holds_and_who_made_it() -> None:
    sprint = FieldSchema(type="array", items="json", custom="com.pyxis.greenhopper.jira:gh-sprint", custom_id=10104)
    assert type_of(sprint) == "array of json (com.pyxis.greenhopper.jira:gh-sprint)"
    assert type_of(FieldSchema(type="string", system="summary")) == "string"
    assert type_of(None) == "no type"
    assert catalogue_of([Field(id="issuekey", name="Key")]) == {"issuekey": KnownField("Key", "no type")}


def test_a_decoder_says_what_it_expected_and_what_it_got() -> None:
    found = decode_error(
        "$.issues[...].id", "POST /rest/api/3/search/jql", "ValidationError: Expected `str`, got `int` - at …"
    )
    assert found == Drift(
        change=FieldChange.TYPE_CHANGED,
        field_id="$.issues[...].id",
        before="str",
        after="int",
        field_name="POST /rest/api/3/search/jql",
    )
    message = "ValidationError: Object missing required field `fields` - at `$.issues[...]`"
    missing = decode_error("$.issues[...]", "x", message)
    assert (missing.change, missing.field_id, missing.after) == (FieldChange.VANISHED, "$.issues[...].fields", None)
    odd = decode_error("$.x", "x", "ValidationError: Invalid enum value 3 - at `$.x`")
    assert (odd.change, odd.before, odd.after) == (FieldChange.TYPE_CHANGED, None, None)
