"""What Jira shows becomes facts: children apart, bytes untouched, users and sprints recognised in every shape."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import Raw

from libs.events import JiraCommentFetched, JiraIssueFetched, JiraUserFetched, SprintFetched, WorklogFetched
from services.ingestor.sync.translate import (
    Origin,
    count,
    instant,
    issue_changes,
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
    assert issue.updated == datetime(2026, 1, 2, 1, 4, 5, 678000, tzinfo=UTC)
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
    changes = without_repeats(issue_changes(ORIGIN, issue, "customfield_10020"))
    kinds = (JiraIssueFetched, JiraCommentFetched, WorklogFetched, SprintFetched, JiraUserFetched)
    assert [count(changes, kind) for kind in kinds] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("body", [b"{}", b'{"id":"1","key":"K-1","fields":{}}', b'{"id":"1","fields":{}}', b"[]"])
def test_what_is_no_issue_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        take_apart(Raw(body))


def test_a_user_is_the_same_in_every_shape_that_jira_shows() -> None:
    bulk = b'{"accountId":"5b10","displayName":"Anne","active":true,"accountType":"atlassian","timeZone":"UTC"}'
    embedded, looked_up = user_change(ORIGIN, Raw(ANNE)), user_change(ORIGIN, Raw(bulk))
    assert embedded is not None
    assert looked_up is not None
    assert embedded.digest == looked_up.digest
    renamed = user_change(ORIGIN, Raw(ANNE.replace(b"Anne", b"Anna")))
    assert renamed is not None
    assert renamed.digest != embedded.digest


@pytest.mark.parametrize("body", [b"null", b'{"accountId":"unknown","displayName":"?"}', b'{"name":"server-user"}'])
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
    assert instant(text) == datetime(2026, 1, 2, 1, 4, 5, 678000, tzinfo=UTC)
