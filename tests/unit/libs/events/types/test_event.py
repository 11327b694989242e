"""What every event type has: an entity, and from it the stream and the common fields."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import (
    TOPICS,
    ControlEvent,
    Event,
    JiraIssueFetched,
    NotificationEvent,
    ProjectKey,
    ScheduleResumed,
    SyncEvent,
    stream_id,
)
from libs.events.types.event import NAMESPACE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_type_without_an_entity_is_refused_when_it_is_defined() -> None:
    with pytest.raises(TypeError, match=r'JiraBoardFetched names no entity: .* `entity = "issue"`'):

        class JiraBoardFetched(Event, frozen=True, kw_only=True):
            """Forgets its entity."""

            board_id: str


def test_a_type_inherits_the_entity_of_its_base() -> None:
    class SyncSkipped(SyncEvent, frozen=True, kw_only=True):
        """Names none itself."""

    assert SyncSkipped.entity == "sync"


def test_the_entity_is_no_field_and_so_never_stored() -> None:
    assert all("entity" not in kind.__struct_fields__ for kind in TOPICS.values())


@pytest.mark.parametrize(
    ("kind", "entity"),
    [(JiraIssueFetched, "issue"), (SyncEvent, "sync"), (ControlEvent, "control"), (NotificationEvent, "notice")],
)
def test_the_stream_of_a_type_follows_from_its_entity(kind: type[Event], entity: str) -> None:
    assert kind.stream_of("acme", "10001") == stream_id("acme", entity, "10001")


def test_the_envelope_holds_what_every_event_has() -> None:
    event = ScheduleResumed(
        **ScheduleResumed.envelope("KEY", ProjectKey("acme", "KEY"), occurred_at=NOON, cause="an admin"), reason=""
    )
    assert event.stream_id == stream_id("acme", "control", "KEY")
    assert (event.site, event.project, event.occurred_at, event.cause) == ("acme", "KEY", NOON, "an admin")
    assert event.project_key == ProjectKey("acme", "KEY") == ("acme", "KEY")


@given(st.text(), st.text(), st.text())
def test_a_stream_is_named_as_a_uuid_of_version_5(site: str, entity: str, entity_id: str) -> None:
    assert stream_id(site, entity, entity_id) == uuid.uuid5(NAMESPACE, f"{site}/{entity}/{entity_id}")
