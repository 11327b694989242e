"""Which webhooks there should be, and what is done about those that there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.models import Webhook
from services.ingestor.hints.registration.wanted import EVENTS, LOST, MOST, REFRESHED, Known, filters, named_in, plan

ODD_TIMES: list[Any] = [None, True, "", "soon", [], 10**400, 1e300, "2025-11-28"]
NOW = datetime(2026, 11, 28, tzinfo=UTC)
URL = "https://jdi.example.com/hooks/acme/secret"
(AB,) = filters(["B", "A"])


def hook(id_: int, jql: str = AB, url: str = URL, days: float | None = 30, events: Any = EVENTS) -> Webhook:
    ends = None if days is None else int((NOW + timedelta(days=days)).timestamp() * 1000)
    return Webhook(id=id_, url=url, jql_filter=jql, events=list(events), expiration_date=ends)


def known(*ones: Known) -> dict[int, Known]:
    return {one.id: one for one in ones}


def test_one_webhook_for_all_projects_and_one_free_place_however_many_they_are() -> None:
    assert filters([]) == []
    assert AB == 'project in ("A", "B")'
    assert len(filters(f"P{number}" for number in range(50))) == 1
    assert len(filters(f"P{number}" for number in range(51))) == 2
    assert len(filters(f"P{number}" for number in range(5000))) == MOST - 1


def test_what_lacks_is_created_and_what_is_there_stays() -> None:
    assert plan([AB], URL, [], {}, NOW).create == (AB,)
    found = plan([AB], URL, [hook(1)], {}, NOW)
    assert (found.create, found.refresh, found.remove) == ((), (), ())
    assert found.kept == (Known(1, URL, AB),)


def test_one_is_refreshed_after_a_week_and_registered_anew_when_that_did_not_help() -> None:
    day = timedelta(days=1)
    assert plan([AB], URL, [hook(1, days=(REFRESHED - day).days)], {}, NOW).refresh == (1,)
    assert plan([AB], URL, [hook(1, days=None)], {}, NOW).refresh == (1,)
    lost = plan([AB], URL, [hook(1, days=(LOST - day).days)], {}, NOW)
    assert (lost.create, lost.refresh, lost.remove) == ((AB,), (), (1,))


def test_others_and_their_addresses_are_left_alone() -> None:
    """Another installation may use the same app; an id that was ours may be given to it."""
    theirs = hook(1, url="https://other.example.com/hooks/x/y")
    reused = known(Known(1, URL, AB))
    for remembered in ({}, reused):
        assert plan([], URL, [theirs], remembered, NOW).remove == ()
    assert plan([], "", [theirs], known(Known(1, theirs.url, AB)), NOW).remove == (1,)


def test_after_a_change_of_address_the_old_ones_go() -> None:
    old = "https://jdi.example.com/hooks/acme/old"
    found = plan([AB], URL, [hook(1, url=old)], known(Known(1, old, AB)), NOW)
    assert (found.create, found.remove) == ((AB,), (1,))


def test_doubles_and_those_for_other_projects_go() -> None:
    found = plan([AB], URL, [hook(1, days=25), hook(2, days=29), hook(3, 'project in ("C")')], {}, NOW)
    assert [one.id for one in found.kept] == [2]
    assert found.remove == (1, 3)


def test_a_filter_that_jira_shows_in_other_words_is_known_by_its_id() -> None:
    shown = hook(1, "project = 10001 OR project = 10002")
    assert plan([AB], URL, [shown], known(Known(1, URL, AB)), NOW).create == ()
    assert plan([AB], URL, [shown], {}, NOW).create == (AB,)
    assert plan([AB], URL, [hook(1, "project  IN (A,B)")], {}, NOW).create == ()


def test_one_that_does_not_tell_of_all_is_replaced() -> None:
    assert plan([AB], URL, [hook(1, events=EVENTS[:2])], {}, NOW).remove == (1,)


def test_where_there_is_no_room_the_old_ones_go_first() -> None:
    others = [hook(number, url="https://o.example") for number in range(4)]
    assert not plan([AB], URL, others, {}, NOW).removes_first
    assert plan([AB], URL, [*others, hook(9, "project = C")], {}, NOW).removes_first


def test_projects_are_found_in_refusals() -> None:
    assert named_in(["The value 'GONE' does not exist for the field 'project'."], ["GONE", "GO"]) == {"GONE"}
    assert named_in(["The app has reached the limit of 5 webhooks."], ["A", "LIMIT"]) == set()


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        (1_764_288_000_000, datetime(2025, 11, 28, tzinfo=UTC)),
        ("1764288000000", datetime(2025, 11, 28, tzinfo=UTC)),
        ("2025-11-28T00:00:00.000+0000", datetime(2025, 11, 28, tzinfo=UTC)),
        *((odd, None) for odd in ODD_TIMES),
    ],
)
def test_when_one_ends(told: Any, ends: datetime | None) -> None:
    assert Webhook(id=1, expiration_date=told).ends_at == ends


HOOKS = st.lists(
    st.builds(
        hook,
        st.integers(1, 9),
        st.sampled_from([AB, 'project in ("C")', "project = A"]),
        st.sampled_from([URL, "https://o.example", "https://old.example"]),
        st.one_of(st.none(), st.floats(-5, 40)),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)
REMEMBERED = st.lists(
    st.builds(Known, st.integers(1, 9), st.sampled_from([URL, "https://old.example"]), st.just(AB)), max_size=4
)


@given(HOOKS, REMEMBERED, st.sampled_from([[], [AB], [AB, 'project in ("C")']]))
def test_when_it_is_done_nothing_is_left_to_do(
    shown: list[Webhook], remembered: list[Known], wanted: list[str]
) -> None:
    to_do = plan(wanted, URL, shown, known(*remembered), NOW)
    assert len(to_do.kept) + len(to_do.create) == len(wanted)
    month = int((NOW + timedelta(days=30)).timestamp() * 1000)
    after = [
        msgspec.structs.replace(one, expiration_date=month if one.id in to_do.refresh else one.expiration_date)
        for one in shown
        if one.id not in to_do.remove
    ]
    after += [hook(100 + number, jql) for number, jql in enumerate(to_do.create)]
    again = plan(wanted, URL, after, known(*to_do.kept), NOW)
    assert (again.create, again.refresh, again.remove) == ((), (), ())
    assert [one for one in shown if one.url == "https://o.example" and one.id in to_do.remove] == []
