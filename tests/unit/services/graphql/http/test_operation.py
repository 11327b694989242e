"""What a request wants, by its header and its document."""

from __future__ import annotations

import pytest
from cross_web import HTTPException

from services.graphql.http.operation import check_streamed, wants_stream


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/event-stream", True),
        ("TEXT/Event-Stream", True),
        ("application/json, text/event-stream ; q=0.5", True),
        ("text/event-stream;q=0, */*", False),
        ("text/event-stream; charset=utf-8; q=0.000", False),
        ("text/event-stream;q=no", True),
        ("text/event-streams", False),
    ],
)
def test_a_stream_is_wanted_by_its_media_type(accept: str, wanted: bool) -> None:
    assert wants_stream(accept) is wanted


@pytest.mark.parametrize(
    ("method", "query", "name", "status"),
    [
        ("GET", "subscription { a }", None, None),
        ("GET", "subscription A { a } query B { b }", "A", None),
        ("GET", "subscription A { a } query B { b }", "B", 405),
        ("GET", "subscription A { a } query B { b }", None, 400),
        ("GET", "subscription A { a }", "", 400),
        ("POST", "query { a }", None, None),
        ("POST", "type A { b: Int }", None, 400),
        ("POST", "{ a " * 1000, None, 400),
        ("POST", "{" + "a{" * 990, None, 400),
    ],
)
def test_what_cannot_be_streamed_is_refused(method: str, query: str, name: str | None, status: int | None) -> None:
    if status is None:
        check_streamed(method, query, name)
        return
    with pytest.raises(HTTPException) as caught:
        check_streamed(method, query, name)
    assert caught.value.status_code == status
