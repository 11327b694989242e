"""What Jira shows becomes facts: children apart, bytes untouched, users and sprints recognised in every shape."""

import copy
import functools
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from libs.events import (
    JiraCommentFetched,
    JiraIssueFetched,
    JiraProjectFetched,
    JiraUserFetched,
    SprintFetched,
    WorklogFetched,
)
from services.ingestor.sync.records.odd import ODD
from services.ingestor.sync.records.translate import (
    Facts,
    Origin,
    count,
    issue_facts,
    names_of,
    project_change,
    sprint_change,
    take_apart,
    user_change,
    without_repeats,
)

ORIGIN = Origin(site="acme", project="KEY", cause="run", fetched_at=datetime(2026, 3, 1, tzinfo=UTC))
ANNE = b'{"accountId":"5b10","displayName":"Anne","active":true,"accountType":"atlassian","avatarUrls":{"48x48":"u"}}'
ISSUE = (
    b'{"id":"10001","self":"https://x/1","key":"KEY-1","fields":{"summary":"\xc3\x84 \\u00e4",  "customfield_1":1.50,'
    b'"updated":"2026-01-02T03:04:05.678+0200","assignee":' + ANNE + b',"customfield_10020":[{"id":3,"name":"S3",'
    b'"state":"active","boardId":1,"goal":"","startDate":"2026-01-01T00:00:00.000Z"}],'
    b'"comment":{"comments":[{"id":"7","author":' + ANNE + b',"updated":"2026-01-02T00:00:00.000+0000","body":{}}],'
    b'"total":3},"worklog":{"worklogs":[{"id":"9","author":null,"started":"2026-01-02T00:00:00.000+0000"}],"total":1}}}'
)


def test_an_issue_is_taken_apart_without_touching_a_byte_of_its_values() -> None:
    issue = take_apart(Raw(ISSUE))
    assert issue.key == "KEY-1"
    assert issue_facts(ORIGIN, issue, None).changes[0].updated == datetime(2026, 1, 2, 1, 4, 5, 678000, tzinfo=UTC)
    assert b'"summary":"\xc3\x84 \\u00e4"' in bytes(issue.payload)
    assert b'"customfield_1":1.50' in bytes(issue.payload)
    fields = msgspec.json.decode(issue.payload)["fields"]
    assert "comment" not in fields
    assert "worklog" not in fields


def test_a_list_shorter_than_its_total_is_known_to_be_incomplete() -> None:
    issue = take_apart(Raw(ISSUE))
    assert not issue.comments.complete
    assert issue.worklogs.complete


def test_users_and_sprints_met_in_an_issue_become_facts_once() -> None:
    issue = take_apart(Raw(ISSUE))
    changes = without_repeats(issue_facts(ORIGIN, issue, "customfield_10020").changes)
    kinds = (JiraIssueFetched, JiraCommentFetched, WorklogFetched, SprintFetched, JiraUserFetched)
    assert [count(changes, kind) for kind in kinds] == [1, 1, 1, 1, 1]


def test_what_a_page_says_of_a_user_or_a_sprint_in_several_places_is_put_together() -> None:
    least, most = {"accountId": "a", "displayName": "Ann"}, {"accountId": "a", "active": False, "accountType": "app"}
    sprints = [{"id": 3, "name": "S3"}, {"id": 3, "name": "S3", "state": "active", "goal": "Ship"}]
    for assignee, reporter, field in ((least, most, sprints), (most, least, sprints[::-1])):
        changes = without_repeats(facts(assignee=assignee, reporter=reporter, customfield_1=field).changes)
        users, found = (
            [msgspec.json.decode(one.event.payload) for one in changes if isinstance(one.event, kind)]
            for kind in (JiraUserFetched, SprintFetched)
        )
        assert users == [least | most]
        assert found == [sprints[1]]


def test_of_two_names_on_a_page_the_first_stays() -> None:
    ann, bea = ({"accountId": "a", "displayName": name} for name in ("Ann", "Bea"))
    (user,) = [one.event for one in without_repeats(facts(assignee=ann, reporter=bea).changes)][1:]
    assert isinstance(user, JiraUserFetched)
    assert msgspec.json.decode(user.payload)["displayName"] == "Ann"


def test_the_sprints_of_all_fields_of_the_type_become_facts() -> None:
    issue = take_apart(Raw(ISSUE.replace(b'"customfield_1":1.50', b'"customfield_1":[{"id":4,"name":"S4"}]')))
    one, both = (
        issue_facts(ORIGIN, issue, ids).changes for ids in ("customfield_10020", "customfield_1,customfield_10020")
    )
    assert (count(one, SprintFetched), count(both, SprintFetched)) == (1, 2)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "`id`"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'{"id":{},"key":"K-1","fields":{"summary":"s"}}', "`id`"),
        (b'{"id":"1","fields":{"summary":"s"}}', "`key`"),
        (b'{"id":"1","key":null,"fields":{"summary":"s"}}', "`key`"),
        (b'{"id":"1","key":"K-1"}', "`fields`"),
        (b'{"id":"1","key":"K-1","fields":null}', "`fields`"),
        (b'{"id":"1","key":"K-1","fields":{}}', "`fields`"),
        (b'{"id":"1","key":"K-1","fields":"all"}', "`fields`"),
    ],
)
def test_what_cannot_be_shown_as_an_issue_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(ODD, match=why):
        take_apart(Raw(body))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"id":"1","key":"K-1"}', ("1", "K-1")),
        (b'{"id":1}', ("1", None)),
        (b'{"id":null,"key":[]}', (None, None)),
        (b"7", (None, None)),
    ],
)
def test_an_odd_record_is_known_by_what_can_be_read(body: bytes, names: tuple[str | None, str | None]) -> None:
    assert names_of(Raw(body)) == names


def facts(**fields: object) -> Facts:
    """The facts of an issue with these fields."""
    whole = {"id": 10001, "key": "KEY-1", "fields": {"summary": "s", **fields}}
    return issue_facts(ORIGIN, take_apart(Raw(msgspec.json.encode(whole))), "customfield_1")


NO_DATES = [
    None,
    "",
    "51502-06-08T14:46:42.000+0000",
    "0001-01-01T00:00:00.000+1400",
    "0001-01-01T00:00:00.000+0000",
    "9999-12-31T23:59:59.000-1200",
    "02/Mar/26 9:00 AM",
    "soon",
    True,
    -1,
    0,
    1e300,
    10**30,
    ["2026-01-01"],
    {"iso8601": "2026-01-01"},
]


@pytest.mark.parametrize("date", NO_DATES)
def test_an_issue_whose_date_cannot_be_read_is_ordered_by_when_it_was_asked_for(date: object) -> None:
    read = facts(updated=date, created="2026-01-01T00:00:00.000+0000")
    event = read.changes[0].event
    assert isinstance(event, JiraIssueFetched)
    assert (event.issue_id, event.updated) == ("10001", datetime(2026, 1, 1, tzinfo=UTC))
    assert [(one.name, one.shown) for one in read.odd] == [("Issue KEY-1, updated", True)]
    assert (read.changes[0].updated, read.changes[0].asked_at) == (None, ORIGIN.fetched_at)
    undated = facts(updated=date, created=date).changes[0].event
    assert isinstance(undated, JiraIssueFetched)
    assert undated.updated == ORIGIN.fetched_at


def test_an_issue_without_updated_is_stored() -> None:
    assert facts().changes[0].event.occurred_at == ORIGIN.fetched_at


@pytest.mark.parametrize("date", [1767323045678, 1767323045, "1767323045678", 1767323045.678])
def test_an_epoch_number_is_a_date(date: object) -> None:
    updated = facts(updated=date).changes[0].updated
    assert updated is not None
    assert updated.replace(microsecond=0) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("date", NO_DATES)
def test_a_childs_date_that_cannot_be_read_is_named_and_costs_nothing_else(date: object) -> None:
    comment = {"id": 7, "created": date, "updated": date}
    read = facts(updated="2026-01-02T00:00:00.000+0000", comment={"comments": [comment], "total": "1"})
    event = read.changes[1].event
    assert isinstance(event, JiraCommentFetched)
    assert (event.comment_id, event.updated) == ("7", datetime(2026, 1, 2, tzinfo=UTC))
    names = [f"Issue KEY-1, {time} of comment 7" for time in ("created", "updated")] if date is not None else []
    assert [one.name for one in read.odd] == names


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        *(("summary", 7), ("summary", ["s"]), ("status", "Done"), ("status", {"name": 7}), ("priority", "High")),
        *(("issuetype", [{"name": "Bug"}]), ("created", "soon"), ("created", None)),
    ],
)
def test_a_field_of_another_shape_than_documented_is_named(field: str, odd: object) -> None:
    read = facts(**{field: odd})
    assert [(one.record, one.name, one.shown) for one in read.odd] == [
        (f"issue/10001/{field}", f"Issue KEY-1, {field}", True)
    ]
    assert count(read.changes, JiraIssueFetched) == 1


def test_what_is_documented_is_not_odd() -> None:
    named = {"name": "x", "id": "1"}
    whole = facts(
        **dict.fromkeys(("status", "priority", "issuetype"), named), created=UPDATED, updated=UPDATED, assignee=None
    )
    assert whole.odd == []
    assert facts(priority=None, status=None, summary=None).odd == []


UPDATED = "2026-01-02T00:00:00.000+0100"


@pytest.mark.parametrize("child", [None, 7, "text", {}, {"id": None}, {"id": 1.5}, {"id": ""}, [{"id": "7"}]])
def test_a_child_that_cannot_be_read_costs_itself_alone(child: object) -> None:
    whole = {"id": "8", "author": {"accountId": "a"}}
    read = facts(comment={"comments": [child, whole]}, worklog={"worklogs": [whole, child]})
    assert [count(read.changes, kind) for kind in (JiraIssueFetched, JiraCommentFetched, WorklogFetched)] == [1, 1, 1]
    assert [one.name for one in read.odd] == ["Issue KEY-1, comment at place 1", "Issue KEY-1, worklog at place 2"]


@pytest.mark.parametrize(
    "user",
    ["Anne", 7, True, ["a"], {"accountId": {}}, {"accountId": True}]
    + [{"accountId": text} for text in ("a" * 200, "a b", "\n", "\0")],
)
def test_a_user_that_cannot_be_read_costs_himself_alone(user: object) -> None:
    read = facts(assignee=user, reporter={"accountId": "b"}, comment={"comments": [{"id": "8", "author": user}]})
    assert [count(read.changes, kind) for kind in (JiraIssueFetched, JiraCommentFetched, JiraUserFetched)] == [1, 1, 1]
    assert [one.name for one in read.odd] == ["Issue KEY-1, assignee", "Issue KEY-1, author of comment 8"]


@pytest.mark.parametrize(
    "field",
    ["Sprint 1", 7, True, {}, [], [None, 7, "com.atlassian…[id=1]", [], {"value": "a", "id": "9", "name": "n"}]],
)
def test_what_is_no_sprint_in_the_sprint_field_is_none_and_no_error(field: object) -> None:
    read = facts(customfield_1=field)
    assert (count(read.changes, SprintFetched), read.odd) == (0, [])


def test_a_sprint_that_says_no_more_than_its_id_is_one() -> None:
    assert count(facts(customfield_1=[{"id": 4}, {"id": 5, "name": None}]).changes, SprintFetched) == 2


def test_a_sprint_without_id_costs_itself_alone() -> None:
    read = facts(customfield_1=[{"name": "S1", "state": "active"}, {"id": "2", "name": "S2", "state": "active"}])
    assert (count(read.changes, SprintFetched), len(read.odd)) == (1, 1)
    assert read.odd[0].name == "Issue KEY-1, sprint at place 1"


@pytest.mark.parametrize("date", [date for date in NO_DATES if date])
def test_a_sprints_date_that_cannot_be_read_decides_by_its_text(date: object) -> None:
    sprint = {"id": 3, "name": "S3", "state": "active", "goal": None}
    odd, again, other = (
        sprint_change(ORIGIN, Raw(msgspec.json.encode(sprint | {"endDate": end}))).digest for end in (date, date, "x")
    )
    assert odd == again != other


@pytest.mark.parametrize("shape", [[], "none", 7, {"comments": {}}, {"comments": "x", "total": 1}])
def test_an_inline_list_of_another_shape_is_incomplete(shape: object) -> None:
    whole = {"id": "1", "key": "K-1", "fields": {"comment": shape, "summary": "s"}}
    assert not take_apart(Raw(msgspec.json.encode(whole))).comments.complete


@pytest.mark.parametrize("total", [None, -1, "many", 1e300, {}])
def test_a_total_that_cannot_be_read_is_the_number_shown(total: object) -> None:
    fields = {"summary": "s", "comment": {"comments": [{"id": 1}], "total": total}}
    assert take_apart(Raw(msgspec.json.encode({"id": "1", "key": "K-1", "fields": fields}))).comments.complete


ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "\0",
    "²",
    "9" * 400,
    "51502-01-01",
    [],
    {},
    [[]],
    [None],
    {"id": None},
)


def places(value: object, way: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The way to every value inside."""
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*way, name))


@pytest.mark.parametrize("seed", range(300))
def test_whatever_stands_anywhere_in_an_issue_what_can_be_read_is_read(seed: int) -> None:
    chance = random.Random(seed)
    issue: Any = msgspec.json.decode(ISSUE)
    for _ in range(chance.randint(1, 3)):
        *way, name = chance.choice([*places(issue)][1:])
        functools.reduce(lambda whole, step: whole[step], way, issue)[name] = copy.deepcopy(chance.choice(ODD_VALUES))
    try:
        apart = take_apart(Raw(msgspec.json.encode(issue)))
    except ODD:
        return
    read = issue_facts(ORIGIN, apart, "customfield_10020")
    assert count(read.changes, JiraIssueFetched) == 1
    assert all(msgspec.json.encode(change.event) for change in read.changes)


def test_a_project_needs_an_id_and_a_key_alone() -> None:
    event = project_change(ORIGIN, Raw(b'{"id":1,"key":"KEY","name":null}')).event
    assert isinstance(event, JiraProjectFetched)
    assert (event.project_id, event.key, event.name) == ("1", "KEY", "")
    with pytest.raises(ODD, match="`key`"):
        project_change(ORIGIN, Raw(b'{"id":1,"name":"n"}'))


def test_a_user_is_the_same_in_every_shape_that_jira_shows() -> None:
    bulk = b'{"accountId":"5b10","displayName":"Anne","active":true,"accountType":"atlassian","timeZone":"UTC"}'
    embedded, looked_up = user_change(ORIGIN, Raw(ANNE)), user_change(ORIGIN, Raw(bulk))
    assert embedded is not None
    assert looked_up is not None
    assert embedded.digest == looked_up.digest
    renamed = user_change(ORIGIN, Raw(ANNE.replace(b"Anne", b"Anna")))
    assert renamed is not None
    assert renamed.digest != embedded.digest


@pytest.mark.parametrize(
    "body", [b'{"accountId":"unknown","displayName":"?"}', b'{"name":"server-user"}', b'{"accountId":null}']
)
def test_a_record_without_an_account_is_nobody(body: bytes) -> None:
    assert user_change(ORIGIN, Raw(body)) is None


def test_a_sprint_is_the_same_from_its_board_and_from_an_issue() -> None:
    board = b'{"id":3,"self":"u","state":"active","name":"S3","startDate":"2026-01-01T01:00:00.000+01:00"}'
    field = b'{"id":3,"name":"S3","state":"ACTIVE","boardId":1,"goal":"","startDate":"2026-01-01T00:00:00.000Z"}'
    assert sprint_change(ORIGIN, Raw(board)).digest == sprint_change(ORIGIN, Raw(field)).digest


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05.678+0200", "2026-01-02T01:04:05.678Z", "2026-01-02T01:04:05.678"]
)
def test_times_are_read_in_every_spelling(text: str) -> None:
    assert facts(updated=text).changes[0].updated == datetime(2026, 1, 2, 1, 4, 5, 678000, tzinfo=UTC)
