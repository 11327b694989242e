"""When two payloads say the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import canonical, digest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_and_volatile_ones_are_left_out_at_any_depth() -> None:
    payload = (
        b'{"self":"a","b":[{"expand":"x","lastViewed":1,"kept":2}],"a":{"iconUrl":"i","avatarUrls":{},"z":1,"y":2}}'
    )
    assert canonical(payload) == b'{"a":{"y":2,"z":1},"b":[{"kept":2}]}'


SLA = {
    "completedCycles": [{"elapsedTime": {"millis": 5, "friendly": "5m"}, "startTime": {"epochMillis": 1}}],
    "ongoingCycle": {
        "startTime": {"epochMillis": 100, "friendly": "Today 10:15 AM"},
        "breached": False,
        "paused": False,
        "withinCalendarHours": True,
        "goalDuration": {"millis": 1000, "friendly": "4h"},
        "elapsedTime": {"millis": 10, "friendly": "10m"},
        "remainingTime": {"millis": 990, "friendly": "3h 50m"},
    },
    "_links": {"self": "https://acme.atlassian.net/rest/servicedeskapi/request/1/sla/1"},
}
FILE = {"id": "7", "filename": "a.png", "size": 3, "mimeType": "image/png", "content": "https://a/7", "thumbnail": "t"}
DOCUMENT = {
    "type": "doc",
    "content": [{"type": "paragraph", "attrs": {"localId": "1"}, "content": [{"type": "text", "text": "a"}]}],
}
STATUS = {
    "id": "3",
    "name": "Open",
    "description": "a",
    "iconUrl": "i",
    "statusCategory": {"id": 2, "colorName": "blue"},
}
FIELDS = {
    "summary": "a",
    "description": DOCUMENT,
    "status": STATUS,
    "priority": {"id": "1", "name": "High", "description": "a", "statusColor": "#fff", "iconUrl": "i"},
    "issuetype": {"id": "1", "name": "Bug", "description": "a", "avatarId": 1, "subtask": False},
    "fixVersions": [{"id": "1", "name": "1.0", "description": "a", "released": False}],
    "parent": {"id": "9", "fields": {"summary": "p", "status": STATUS}},
    "attachment": [FILE],
    "watches": {"self": "a", "watchCount": 1, "isWatching": False},
    "votes": {"self": "a", "votes": 1, "hasVoted": False},
    "project": {"id": "1", "avatarUrls": {"48x48": "a"}},
    "lastViewed": None,
    "customfield_1": SLA,
    "customfield_2": "{}",
    "customfield_3": "0|i0000:",
    "customfield_4": DOCUMENT,
}


def _canonical_with(path: str, value: object) -> bytes:
    """The canonical form of an issue in which one thing is another."""
    changed: Any = json.loads(json.dumps({"id": "1", "self": "a", "expand": "a", "fields": FIELDS}))
    *places, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    target = changed
    for step in places:
        target = target[step]
    target[last] = value
    return canonical(json.dumps(changed).encode())


PULL_REQUEST = '{"errors":[],"summary":{"pullrequest":{"overall":{"count":1,"state":"OPEN"}}}}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("self", "https://api.atlassian.com/ex/jira/1-2-3/rest/api/3/issue/1"),
        ("expand", "b"),
        ("fields/lastViewed", "2026-01-01T00:00:00.000+0000"),
        ("fields/project/avatarUrls/48x48", "b"),
        ("fields/customfield_1/ongoingCycle/elapsedTime", {"millis": 20, "friendly": "20m"}),
        ("fields/customfield_1/ongoingCycle/remainingTime/millis", -1),
        ("fields/customfield_1/ongoingCycle/remainingTime/friendly", "-1m"),
        ("fields/customfield_1/ongoingCycle/withinCalendarHours", False),
        ("fields/customfield_1/ongoingCycle/startTime/friendly", "Yesterday 10:15 AM"),
        ("fields/customfield_1/_links/self", "b"),
        ("fields/attachment/0/content", "https://api.atlassian.com/ex/jira/1-2-3/7"),
        ("fields/attachment/0/thumbnail", "b"),
        ("fields/description/content/0/attrs/localId", "2"),
        ("fields/customfield_4/content/0/attrs/localId", "2"),
        ("fields/watches/isWatching", True),
        ("fields/watches/watchCount", 2),
        ("fields/votes/hasVoted", True),
        ("fields/status/description", "b"),
        ("fields/status/iconUrl", "b"),
        ("fields/status/statusCategory/colorName", "green"),
        ("fields/parent/fields/status/description", "b"),
        ("fields/priority/description", "b"),
        ("fields/priority/statusColor", "#000"),
        ("fields/issuetype/description", "b"),
        ("fields/issuetype/avatarId", 2),
        ("fields/fixVersions/0/description", "b"),
        ("fields/customfield_2", "{pullrequest={dataType=pullrequest, state=OPEN, stateCount=1}}"),
        ("fields/customfield_2", '{repository={count=1, dataType=repository}, json={"cachedValue":{},"isStale":true}}'),
        ("fields/customfield_2", PULL_REQUEST),
        ("fields/customfield_2", "{summaryBean=com.atlassian.jira.plugin.devstatus.rest.SummaryBean@3f[summary={}]}"),
        ("fields/customfield_2", None),
    ],
)
def test_noise_says_nothing(path: str, value: object) -> None:
    assert _canonical_with(path, value) == _canonical_with("id", "1")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fields/description", {"type": "doc", "content": []}),
        ("fields/description/content/0/content/0/text", "b"),
        ("fields/description", "the text of a Server"),
        ("fields/customfield_4/content/0/content", []),
        ("fields/attachment/0/filename", "b.png"),
        ("fields/attachment/0/id", "8"),
        ("fields/attachment", []),
        ("fields/status/name", "Done"),
        ("fields/status/statusCategory/id", 3),
        ("fields/parent/fields/summary", "q"),
        ("fields/priority/name", "Low"),
        ("fields/fixVersions/0/released", True),
        ("fields/votes/votes", 2),
        ("fields/customfield_1/ongoingCycle/breached", True),
        ("fields/customfield_1/ongoingCycle/paused", True),
        ("fields/customfield_1/ongoingCycle/startTime/epochMillis", 101),
        ("fields/customfield_1/ongoingCycle/goalDuration/millis", 2000),
        ("fields/customfield_1/completedCycles/0/elapsedTime/millis", 6),
        ("fields/customfield_2", "{a text in braces}"),
        ("fields/customfield_3", "0|i0001:"),
        ("fields/summary", "{}"),
        ("fields/summary", "b"),
    ],
)
def test_what_looks_like_noise_and_is_none_is_a_change(path: str, value: object) -> None:
    assert _canonical_with(path, value) != _canonical_with("id", "1")


def test_users_inside_are_their_account_alone() -> None:
    payload = b'{"author":{"accountId":"a-1","displayName":"Anne","active":true}}'
    assert canonical(payload) == b'{"author":{"accountId":"a-1"}}'


def test_a_user_as_the_payload_itself_keeps_what_is_said_of_them() -> None:
    payload = b'{"displayName":"Anne","accountId":"a-1","self":"x"}'
    assert canonical(payload) == b'{"accountId":"a-1","displayName":"Anne"}'


def test_a_payload_may_be_any_json() -> None:
    assert canonical(b'[{"self":1},2]') == b"[{},2]"
    assert canonical(msgspec.Raw(b"null")) == b"null"
    with pytest.raises(msgspec.DecodeError):
        canonical(b"{")


@given(json_values)
def test_the_order_of_keys_says_nothing(value: object) -> None:
    assert canonical(json.dumps(_reversed(value)).encode()) == canonical(json.dumps(value).encode())


@given(json_values)
def test_the_canonical_form_is_its_own(value: object) -> None:
    normal = canonical(json.dumps(value).encode())
    assert canonical(normal) == normal


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


def test_the_digest_is_of_the_bytes_and_for_ever_the_same() -> None:
    assert digest(b'{"a":1}') == digest(msgspec.Raw(b'{"a":1}'))
    assert digest(b'{"a":1}').hex() == "2c6b113b8dd15ffbded9860b43eb0c6c"
    assert digest(b'{"a": 1}') != digest(b'{"a":1}')


@pytest.mark.parametrize("account", ["unknown", "", None])
def test_the_name_of_who_has_no_account_is_a_part_of_the_record(account: str | None) -> None:
    one, other, same = (
        canonical(msgspec.json.encode({"author": {"accountId": account, "displayName": name, "avatarUrls": {"x": y}}}))
        for name, y in (("Ada", "1"), ("Bob", "1"), ("Ada", "2"))
    )
    assert one == same != other
