"""Webhooks of odd shapes: at most the record is passed over, never the endpoint; each is counted."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import sqlalchemy
from aiohttp import ClientSession

from libs.events import Append
from libs.events.hints import hint_prefix
from services.graphql.hooks.receiving import LARGEST, Outcome
from services.graphql.measures import HOOKS as COUNTED
from tests.integration.graphql.hooks.test_receiving import ISSUE, PATH, SECRET, SIGNED, SITE, Site, site_of


class Odd(NamedTuple):
    """A body, and what becomes of it."""

    body: bytes
    outcome: Outcome
    issues: tuple[str, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = {}
    packed: bytes | None = None
    """As it is sent, where that is not the body itself: the signature is that of the body."""


def nothing(body: Any) -> Odd:
    return Odd(written(body), Outcome.NOTHING_NAMED)


def unreadable(body: bytes) -> Odd:
    return Odd(body, Outcome.UNREADABLE)


def names(body: Any, *issues: str, **more: Any) -> Odd:
    return Odd(written(body), Outcome.KEPT, issues, **more)


def written(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def nested(deep: int) -> Any:
    inner: Any = 1
    for _ in range(deep):
        inner = {"a": inner}
    return inner


PLAIN = json.dumps({**ISSUE, "user": {"displayName": "Zoë"}}, ensure_ascii=False)
FIELDS = {"project": {"key": "DEMO"}, "summary": "x"}
WEBHOOK = "webhookEvent"

ODD = {
    # --- no issue, or less of one
    "no issue": nothing({WEBHOOK: "jira:issue_updated"}),
    "an empty issue": nothing({WEBHOOK: "jira:issue_updated", "issue": {}}),
    "an issue that is null": nothing({WEBHOOK: "jira:issue_updated", "issue": None}),
    "an issue that is a list": nothing({WEBHOOK: "jira:issue_updated", "issue": [{"id": "1"}]}),
    "an issue that is a text": nothing({"issue": "DEMO-1"}),
    "an issue without a key": names({"issue": {"id": "10001", "fields": FIELDS}}, "10001"),
    "an issue without an id": names({"issue": {"key": "DEMO-7", "fields": FIELDS}}, "DEMO-7"),
    "an issue with neither": nothing({"issue": {"fields": FIELDS}}),
    "a comment without its issue": nothing({WEBHOOK: "comment_created", "comment": {"id": "7", "body": "x"}}),
    "a comment whose address tells": names(
        {"comment": {"self": "https://x/rest/api/2/issue/10003/comment/7"}}, "10003"
    ),
    "a worklog without its issue": nothing({WEBHOOK: "worklog_created", "worklog": {"id": "7"}}),
    "a deleted comment with a text for an id": names(
        {WEBHOOK: "comment_deleted", "comment": {"id": "seven"}, "issue": {"id": 10001}}, "10001"
    ),
    "a deleted worklog that is null": names(
        {WEBHOOK: "worklog_deleted", "worklog": None, "issue": {"id": 10001}}, "10001"
    ),
    # --- ids
    "ids that are numbers": names({"issue": {"id": 10001, "key": 7}}, "10001"),
    "an id that is a fraction": nothing({"issue": {"id": 10001.5}}),
    "an id of a thousand digits": nothing(b'{"issue":{"id":' + b"1" * 1000 + b"}}"),
    "an id that is true": nothing({"issue": {"id": True}}),
    "an id that leads elsewhere": nothing({"issue": {"id": "../10001"}}),
    "an id with a NUL": nothing({"issue": {"id": "10001\0"}}),
    "a key in small letters": nothing({"issue": {"key": "demo-1"}}),
    # --- size and packing
    "ten megabytes": Odd(written({**ISSUE, "text": "x" * 10_000_000}), Outcome.TOO_LARGE, status=413),
    "almost too large": names({**ISSUE, "text": "x" * (LARGEST - 1000)}, "10001"),
    "gzip": names(PLAIN.encode(), "10001", headers={"Content-Encoding": "gzip"}, packed=gzip.compress(PLAIN.encode())),
    "deflate": names(
        PLAIN.encode(), "10001", headers={"Content-Encoding": "deflate"}, packed=zlib.compress(PLAIN.encode())
    ),
    "gzip that unpacks to ten megabytes": Odd(
        written({**ISSUE, "text": "x" * 10_000_000}),
        Outcome.TOO_LARGE,
        status=413,
        headers={"Content-Encoding": "gzip"},
        packed=gzip.compress(written({**ISSUE, "text": "x" * 10_000_000})),
    ),
    "no gzip, though it says so": Odd(
        PLAIN.encode(), Outcome.UNREADABLE, status=400, headers={"Content-Encoding": "gzip"}, packed=PLAIN.encode()
    ),
    "half a gzip": Odd(
        PLAIN.encode(),
        Outcome.FORGED,
        status=401,
        headers={"Content-Encoding": "gzip"},
        packed=gzip.compress(PLAIN.encode())[:60],
    ),
    # --- depth and encoding
    "500 deep": names({**ISSUE, "changelog": nested(500)}, "10001"),
    "100,000 deep": unreadable(b'{"issue":' + b"[" * 100_000),
    "an issue 500 deep": nothing({"issue": nested(500)}),
    "utf-8 with its mark": names(codecs.BOM_UTF8 + PLAIN.encode(), "10001"),
    "utf-16": names(PLAIN.encode("utf-16"), "10001", headers={"Content-Type": "application/json; charset=utf-16"}),
    "latin-1": names(
        PLAIN.encode("latin-1"), "10001", headers={"Content-Type": "application/json; charset=iso-8859-1"}
    ),
    "a charset that nobody knows": names(
        PLAIN.encode(), "10001", headers={"Content-Type": "application/json; charset=klingon"}
    ),
    "half a surrogate": names(b'{"webhookEvent":"\\ud800","issue":{"id":"10001"}}', "10001"),
    "half a surrogate beside it": names(b'{"issue":{"id":"10001","fields":{"summary":"x\\ud83d"}}}', "10001"),
    "a form": unreadable(b"payload=%7B%22issue%22%3A%7B%22id%22%3A1%7D%7D"),
    "XML": unreadable(b"<issue><id>10001</id></issue>"),
    "nothing at all": unreadable(b""),
    "cut in the middle": unreadable(PLAIN.encode()[:40]),
    "two bodies in one": unreadable(PLAIN.encode() * 2),
    "a number": unreadable(b"7"),
    # --- shapes
    "keys that come twice": names(b'{"issue":{"id":"1"},"issue":{"id":"10001"}}', "10001"),
    "an event that nobody knows": names({WEBHOOK: "jira:issue_pondered", "issue": {"id": "10001"}}, "10001"),
    "an event that is an object": names({WEBHOOK: {"a": 1}, "issue": {"id": "10001"}}, "10001"),
    "an event as long as a book": names({WEBHOOK: "x" * 500_000, "issue": {"id": "10001"}}, "10001"),
    "a list of bodies": names([ISSUE, 7, {"issue": {"id": "10002"}}, None], "10001", "10002"),
    "an empty list": nothing([]),
    "an issue of Jira Automation": names({"id": 10001, "key": "DEMO-1", "self": "x", "fields": FIELDS}, "10001"),
    "a list of Jira Automation": names(
        {"issues": [{"id": 10001, "key": "DEMO-1"}, {"key": "DEMO-2"}]}, "10001", "DEMO-2"
    ),
    "Automation's own words": nothing({"rule": "When a sprint is closed", "text": "{{issue.key}} was closed"}),
    # --- events of other things
    "a sprint": nothing({WEBHOOK: "sprint_closed", "sprint": {"id": 3, "self": "x", "originBoardId": 1}}),
    "a version": nothing({WEBHOOK: "jira:version_released", "version": {"id": "4", "projectId": 10000}}),
    "a project": nothing({WEBHOOK: "project_deleted", "project": {"id": 10000, "key": "DEMO"}}),
    "a user": nothing({WEBHOOK: "user_deleted", "user": {"accountId": "5b10a2844c20165700ede21g"}}),
    "an attachment": nothing({WEBHOOK: "attachment_created", "attachment": {"id": "9", "filename": "x"}}),
    "an option": nothing({WEBHOOK: "option_voting_changed", "property": {"key": "x", "self": "y"}}),
    # --- clocks
    "of the year 9999": names({**ISSUE, "timestamp": 253_402_300_799_999}, "10001"),
    "of before 1970, in words": names({**ISSUE, "timestamp": "-1"}, "10001"),
}


def counts() -> dict[str, float]:
    return {outcome.value: COUNTED.labels(outcome=outcome.value)._value.get() for outcome in Outcome}


async def sent(site: Site, http: ClientSession, odd: Odd) -> int:
    signature = hmac.new(SECRET.encode(), odd.body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature": f"sha256={signature}", **odd.headers}
    content = odd.body if odd.packed is None else odd.packed
    address = f"{site.url}/hooks/{SITE}/{PATH}"
    async with http.post(address, data=content, headers=headers) as response:
        await response.read()
        return response.status


@pytest.mark.parametrize("read_tables", ["sqlite"], indirect=True)
async def test_odd_bodies_cost_at_most_their_own_hint(read_tables: sqlalchemy.Engine) -> None:
    wrong: dict[str, object] = {}
    async with site_of(read_tables, SIGNED) as site, ClientSession(auto_decompress=False) as http:
        for name, odd in ODD.items():
            before = counts()
            status = await sent(site, http, odd)
            outcomes = [outcome for outcome, number in counts().items() if number > before[outcome]]
            found = (status, outcomes, site.hints())
            if found != (odd.status, [odd.outcome.value], sorted(odd.issues)):
                wrong[name] = found
            site.store.append(Append(forget=[f"{hint_prefix(SITE)}*"]))
            assert await site.send(ISSUE) == 200, name
            site.store.append(Append(forget=[f"{hint_prefix(SITE)}*"]))
        heard = site.heard()
        assert heard is not None
    assert not wrong
