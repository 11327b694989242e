"""What telemetry derives from the log is stored once, whatever dies, repeats or runs twice."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from libs.events import (
    AlertRaised,
    Append,
    Change,
    Event,
    EventStore,
    ProjectKey,
    SavedReader,
    StoreError,
)
from services.telemetry.backoff import Rules
from services.telemetry.projects import NAME, Projects, states_at
from tests.unit.made.changes import issue
from tests.unit.services.telemetry.course import PROJECT, SITE, failed, registered, succeeded, unregistered

KEY = ProjectKey(SITE, PROJECT)
RULES = Rules()


def happen(store: EventStore, *events: Event) -> None:
    store.append(Append(changes=[Change(event=event) for event in events]))


def loaded(store: EventStore) -> Projects:
    made = Projects(store, RULES)
    made.load()
    return made


def catch_up(projects: Projects, limit: int = 500) -> None:
    while projects.step(limit):
        pass


def kinds(store: EventStore) -> list[str]:
    return [one.topic.partition(".")[0] for one in store.read(0, 1000) if one.event.cause == "telemetry"]


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_batches_of_any_size_lead_to_the_same(store: EventStore, limit: int) -> None:
    happen(store, registered(), *(failed() for _ in range(4)), succeeded(), failed("AUTH_EXPIRED"))
    catch_up(loaded(store), limit)
    assert kinds(store) == ["AlertRaised", "AlertRepeated", "AlertResolved", "AlertRaised"]
    assert loaded(store).states == states_at(store, store.head(), RULES)


def test_how_long_events_have_waited(store: EventStore) -> None:
    projects = loaded(store)
    assert projects.waiting() == 0
    happen(store, registered(), failed())
    assert projects.waiting() > 0
    catch_up(projects)
    assert projects.waiting() == 0
    store.append(Append(changes=[issue(1)]))  # nothing of ours
    assert projects.waiting() == 0


def test_states_without_their_beginning_are_folded_anew(store: EventStore) -> None:
    happen(store, registered(), succeeded())
    catch_up(loaded(store))
    (saved,) = loaded(store).states.values()
    older = msgspec.structs.replace(saved, since=None, succeeded=None, longest_gap=0.0)
    store.append(Append(checkpoints={f"{NAME}/part/{SITE}/{PROJECT}": msgspec.json.encode(older)}))
    assert loaded(store).states == {KEY: saved}


def test_a_crash_before_the_save_repeats_nothing(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    happen(store, registered(), *(failed() for _ in range(3)))

    def refuse(*_: object, **__: object) -> bool:
        raise StoreError("the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(SavedReader, "save", refuse)
        with pytest.raises(StoreError):
            loaded(store).step()
    assert kinds(store) == []
    catch_up(loaded(store))
    catch_up(loaded(store))
    assert kinds(store) == ["AlertRaised"]


def test_an_answer_of_the_database_that_is_lost_repeats_nothing(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(store, registered(), *(failed() for _ in range(3)))
    first, append = loaded(store), EventStore.append

    def lose(self: EventStore, what: Append) -> None:
        append(self, what)
        raise StoreError("the connection was lost")

    with monkeypatch.context() as broken:
        broken.setattr(EventStore, "append", lose)
        with pytest.raises(StoreError):
            first.step()
    first.load()
    catch_up(first)
    assert kinds(store) == ["AlertRaised"]


def test_two_telemetries_raise_an_alert_once(store: EventStore) -> None:
    first, second = loaded(store), loaded(store)
    happen(store, registered(), *(failed() for _ in range(3)))
    first.step(2)
    catch_up(second)
    catch_up(first)
    assert kinds(store) == ["AlertRaised"]
    assert first.states == second.states


def test_a_telemetry_that_was_overtaken_goes_on_from_where_the_other_is(store: EventStore) -> None:
    slow = loaded(store)
    happen(store, registered(), *(failed() for _ in range(3)))
    slow.step(1)
    catch_up(loaded(store))
    happen(store, failed())
    catch_up(loaded(store))
    happen(store, succeeded())
    catch_up(slow)
    assert kinds(store) == ["AlertRaised", "AlertRepeated", "AlertResolved"]


def test_states_that_cannot_be_read_are_folded_anew(store: EventStore) -> None:
    happen(store, registered(), *(failed() for _ in range(3)))
    catch_up(loaded(store))
    expected = loaded(store).states
    store.append(Append(checkpoints={f"{NAME}/part/{SITE}/{PROJECT}": b'{"another": "version"}'}))
    again = loaded(store)
    assert again.states == expected
    catch_up(again)
    assert kinds(store) == ["AlertRaised"]


def test_a_project_that_is_gone_leaves_no_state(store: EventStore) -> None:
    happen(store, registered(), failed("AUTH_EXPIRED"), unregistered())
    catch_up(loaded(store))
    assert kinds(store) == ["AlertRaised", "AlertResolved"]
    assert loaded(store).states == {}
    assert store.checkpoints(f"{NAME}/part/") == {}


def test_ids_of_alerts_follow_from_the_log(store: EventStore) -> None:
    happen(store, registered(), failed("AUTH_EXPIRED"), succeeded(), failed("AUTH_EXPIRED"))
    catch_up(loaded(store), 1)
    raised = [one.event for one in store.read(0, 1000) if isinstance(one.event, AlertRaised)]
    assert _ids(raised) == sorted(set(_ids(raised)), key=_ids(raised).index)
    assert len({event.fingerprint for event in raised}) == 1


def _ids(raised: Sequence[AlertRaised]) -> list[str]:
    return [event.alert_id for event in raised]


def test_an_alert_is_in_the_trace_of_the_run_that_led_to_it(store: EventStore) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    happen(store, registered(), msgspec.structs.replace(failed("AUTH_EXPIRED"), trace=trace))
    catch_up(loaded(store))
    (alert,) = [one.event for one in store.read(0, 1000) if isinstance(one.event, AlertRaised)]
    assert alert.trace == trace
