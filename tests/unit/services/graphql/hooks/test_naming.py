"""What a webhook's body names, whatever shape it has."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graphql.hooks.naming import MOST_ISSUES, Named, told

ISSUE = {"id": "10001", "key": "ALPHA-7", "fields": {"project": {"key": "ALPHA"}, "summary": "x"}}


@pytest.mark.parametrize(
    ("body", "event", "issues"),
    [
        ({"webhookEvent": "jira:issue_updated", "issue": ISSUE}, "jira:issue_updated", [Named("10001", "ALPHA")]),
        ({"webhookEvent": "jira:issue_deleted", "issue": {"id": 10001}}, "jira:issue_deleted", [Named("10001", "")]),
        ({"webhookEvent": "x", "issue": {"key": "ALPHA-7"}}, "x", [Named("ALPHA-7", "ALPHA")]),
        ({"webhookEvent": "worklog_created", "worklog": {"issueId": "10002"}}, "worklog_created", [Named("10002", "")]),
        (
            {
                "webhookEvent": "comment_created",
                "comment": {"self": "https://acme.atlassian.net/rest/api/2/issue/10003/comment/5"},
            },
            "comment_created",
            [Named("10003", "")],
        ),
        (
            {"webhookEvent": "issuelink_created", "issueLink": {"sourceIssueId": 1, "destinationIssueId": "2"}},
            "issuelink_created",
            [Named("1", ""), Named("2", "")],
        ),
        ({"eventType": "avi:jira:updated:issue", "issue": ISSUE}, "avi:jira:updated:issue", [Named("10001", "ALPHA")]),
        (
            {"event": {"eventType": "avi:jira:created:worklog", "worklog": {"issueId": 10004}}, "context": {}},
            "avi:jira:created:worklog",
            [Named("10004", "")],
        ),
        # A comment beside its issue names it once; the issue's own part says more.
        (
            {"webhookEvent": "c", "comment": {"self": "/issue/10001/comment/1"}, "issue": ISSUE},
            "c",
            [Named("10001", "ALPHA")],
        ),
        ({"webhookEvent": "sprint_closed", "sprint": {"id": 1}}, "sprint_closed", []),
        # Moved: the key that was sent is the former one.
        (
            {"issue": {"id": "9", "key": "ALPHA-7", "fields": {"project": {"key": "BETA"}}}},
            "",
            [Named("9", "BETA")],
        ),
        ({"issue": {"id": "10/../1", "key": "a b"}}, "", []),
        ({"issue": {"id": -1}}, "", []),
        ({"issue": {"id": "0"}}, "", []),
        ({"issue": {"id": 1e300}}, "", []),
        ({"issue": [1], "worklog": "x", "comment": None, "webhookEvent": {"a": 1}}, "", []),
        ([1, 2], "", []),
        ("text", "", []),
    ],
)
def test_what_is_named(body: Any, event: str, issues: list[Named]) -> None:
    said = told(msgspec.json.encode(body))
    assert (said.event, said.issues) == (event, tuple(issues))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b'{"issue":' * 5_000, b'{"a":"\\ud800"}'])
def test_what_is_no_json_names_nothing(body: bytes) -> None:
    said = told(body)
    assert (said.event, said.issues) == ("", ())


@pytest.mark.parametrize(
    ("body", "comments", "worklogs"),
    [
        ({"webhookEvent": "comment_deleted", "comment": {"id": "7"}, "issue": ISSUE}, ("7",), ()),
        ({"webhookEvent": "worklog_deleted", "worklog": {"id": 8, "issueId": "10001"}}, (), ("8",)),
        ({"eventType": "avi:jira:deleted:comment", "comment": {"id": "7"}, "issue": ISSUE}, ("7",), ()),
        ({"event": {"eventType": "avi:jira:deleted:worklog", "worklog": {"id": "8", "issueId": 1}}}, (), ("8",)),
        ([{"webhookEvent": "comment_deleted", "comment": {"id": n}, "issue": ISSUE} for n in (7, 9)], ("7", "9"), ()),
        ({"webhookEvent": "comment_created", "comment": {"id": "7"}, "issue": ISSUE}, (), ()),
        ({"webhookEvent": "jira:issue_deleted", "comment": {"id": "7"}, "issue": ISSUE}, (), ()),
        ({"webhookEvent": "comment_deleted", "comment": {"id": "7/8"}, "worklog": {"id": "9"}}, (), ()),
    ],
)
def test_a_deleted_comment_or_worklog_is_named(body: Any, comments: tuple[str, ...], worklogs: tuple[str, ...]) -> None:
    said = told(msgspec.json.encode(body))
    assert (said.gone_comments, said.gone_worklogs, said.deleted) == (
        comments,
        worklogs,
        "issue_deleted" in str(body),
    )


def test_a_body_names_so_many_issues_at_most() -> None:
    bodies = [{"issue": {"id": number}, "worklog": {"issueId": 1000 + number}} for number in range(1, 200)]
    assert len(told(msgspec.json.encode(bodies)).issues) == MOST_ISSUES
    assert len(told(msgspec.json.encode({"issues": [body["issue"] for body in bodies]})).issues) == MOST_ISSUES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["issue", "id", "key", "fields", "project", "comment", "self", "worklog", "issueId", "event"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_body_is_read_and_only_ids_and_keys_come_of_it(body: Any) -> None:
    for issue, project in told(msgspec.json.encode(body)).issues:
        assert issue.isdecimal() or issue.rpartition("-")[2].isdecimal()
        assert "/" not in issue + project
