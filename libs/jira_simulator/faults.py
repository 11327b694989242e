"""What goes wrong on demand. A fault says which requests it hits, how often, and how the answer is spoilt.

=================================  =====================================================================================
``status`` (default)               answers ``status``, ``body`` and ``headers``; without a status only delays
``html``                           a page of the edge instead of JSON (503 unless ``status`` says otherwise)
``empty``                          200, a JSON content type and no body
``truncate``                       the right answer, cut in half, with a length that fits the half
``half_list``                      the right list, of which the second half is missing; it says that it is whole
``narrow``                         the right list, in which every other issue is missing; a count is of the half
``repeat_token``                   the right page, but its token leads back to it
``reset``                          the connection is reset without an answer
``slow_body``                      the right answer, its body dribbling over ``delay_ms``
``empty_list_with_login_header``   200, an empty list, and the header by which an expired token is known
=================================  =====================================================================================
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

import msgspec
from aiohttp import web

from libs.jira_simulator.site.render import encode

Kind = Literal[
    "status",
    "html",
    "empty",
    "truncate",
    "half_list",
    "narrow",
    "repeat_token",
    "reset",
    "slow_body",
    "empty_list_with_login_header",
]
AFTERWARDS = frozenset({"truncate", "half_list", "narrow", "repeat_token", "slow_body"})
"""Kinds that spoil a right answer, so that it must be made first."""

LOGIN_REASON = "X-Seraph-LoginReason"
DRIBBLES = 20
EDGE_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Atlassian Cloud Notifications - Page Unavailable</title>
<link rel="stylesheet" href="/_edge/resources/error.css"></head>
<body><h1>Your Atlassian Cloud site is currently unavailable.</h1></body></html>
"""


class Fault(msgspec.Struct, kw_only=True):
    """One entry of ``POST /simulator/faults``."""

    match: str
    """Regular expression, searched in the path with its query string."""
    method: str | None = None
    about: str | None = None
    """Regular expression that must be found in the request's body as well: the id of one issue, for example."""
    over: int | None = None
    """Only requests for more issues at once than this, with other fields than the id."""
    times: int | None = 1
    """How many requests it hits; with ``always`` every one."""
    always: bool = False
    skip: int = 0
    """So many matching requests are let through first."""
    kind: Kind = "status"
    status: int | None = None
    body: Any = None
    """Text goes out as it is, anything else as JSON; null: an error of Jira's for the status."""
    headers: dict[str, str] = {}
    delay_ms: float = 0
    hits: int = 0
    """How often it has struck."""

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
            re.compile(self.about or "")
        except re.error as error:
            raise ValueError(f"match and about must be regular expressions: {error}") from None
        if self.always:
            self.times = None

    def strikes(self, request: web.Request, body: bytes) -> bool:
        """Whether this request is hit; counts."""
        if self.times == 0 or (self.method and self.method.upper() != request.method):
            return False
        if not re.search(self.match, request.path_qs) or not re.search(self.about or "", body.decode(errors="replace")):
            return False
        if self.over is not None and _issues_asked_for(body) <= self.over:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


class Faults:
    """The faults that are set; the first that fits a request strikes."""

    def __init__(self) -> None:
        self.all: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        self.all.extend(faults)

    def clear(self) -> None:
        self.all.clear()

    def strike(self, request: web.Request, body: bytes) -> Fault | None:
        return next((fault for fault in self.all if fault.strikes(request, body)), None)


def _issues_asked_for(body: bytes) -> int:
    """How many whole issues a search or a bulk fetch asks for; 0 of anything else."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return 0
    if asked.get("fields") == ["id"]:
        return 0
    return len(asked.get("issueIdsOrKeys", ())) or int(asked.get("maxResults", 0))


def replacement(fault: Fault, request: web.Request) -> web.Response | None:
    """What is answered instead of the right answer; None: the right answer follows."""
    if fault.kind == "html":
        return _spoilt(fault, fault.status or 503, EDGE_PAGE if fault.body is None else str(fault.body), "text/html")
    if fault.kind == "empty":
        return _spoilt(fault, fault.status or 200, "", "application/json")
    if fault.kind == "empty_list_with_login_header":
        response = _spoilt(fault, 200, encode(_empty_list(request.path)).decode(), "application/json")
        response.headers[LOGIN_REASON] = "AUTHENTICATED_FAILED"
        return response
    if fault.kind == "status" and fault.status is not None:
        return _refusal(fault, fault.status)
    return None


def _refusal(fault: Fault, status: int) -> web.Response:
    if fault.body is None:
        text = encode({"errorMessages": [f"Simulated failure with status {status}."], "errors": {}}).decode()
    else:
        text = fault.body if isinstance(fault.body, str) else encode(fault.body).decode()
    json = not text or text[0] in "{["
    return _spoilt(fault, status, text, "application/json" if json else "text/plain")


def _spoilt(fault: Fault, status: int, text: str, content_type: str) -> web.Response:
    response = web.Response(status=status, body=text.encode(), content_type=content_type, charset="UTF-8")
    response.headers.update(fault.headers)
    return response


def _empty_list(path: str) -> Any:
    if path.endswith("/search/jql"):
        return {"issues": [], "isLast": True}
    if path.endswith("/bulkfetch"):
        return {"issues": [], "issueErrors": []}
    if path.endswith(("/users/search", "/assignable/search", "/field")):
        return []
    page = {"startAt": 0, "maxResults": 50, "total": 0}
    name = next((name for name in ("comment", "worklog") if path.endswith(f"/{name}")), None)
    return {**page, f"{name}s": []} if name else {**page, "isLast": True, "values": []}


async def spoil(fault: Fault, request: web.Request, response: web.Response) -> web.StreamResponse:
    """The right answer, spoilt."""
    body = response.body if isinstance(response.body, bytes) else b""
    if fault.kind == "truncate":
        response.body = body[: len(body) // 2]
    elif fault.kind in ("half_list", "narrow"):
        response.body = encode((_half if fault.kind == "half_list" else _narrow)(msgspec.json.decode(body)))
    elif fault.kind == "repeat_token":
        response.body = await _same_token(request, body)
    elif fault.kind == "slow_body":
        return await _dribble(fault, request, response.status, body)
    response.headers.update(fault.headers)
    return response


def _half(answer: Any) -> Any:
    """A list of issues, comments, worklogs or other values that ends too early, and does not say so."""
    if isinstance(answer, list):
        return answer[: len(answer) // 2]
    name = _name_of_list(answer)
    if name is None:
        return answer
    end = {"isLast": True} if "isLast" in answer else {}
    return {key: value for key, value in answer.items() if key != "nextPageToken"} | {
        name: answer[name][: len(answer[name]) // 2],
        **end,
    }


def _narrow(answer: Any) -> Any:
    """As of a search with one more condition, which nobody has asked for."""
    if "count" in answer:
        return {"count": answer["count"] // 2}
    name = _name_of_list(answer)
    return answer if name is None else answer | {name: [one for one in answer[name] if int(one["id"]) % 2]}


def _name_of_list(answer: Any) -> str | None:
    return next((name for name in ("issues", "comments", "worklogs", "values") if name in answer), None)


async def _same_token(request: web.Request, body: bytes) -> bytes:
    answer = msgspec.json.decode(body)
    asked = msgspec.json.decode(await request.read()) if request.method == "POST" else request.query
    token = asked.get("nextPageToken") or answer.get("nextPageToken") or "CAEaAggB"
    return encode(answer | {"nextPageToken": token, "isLast": False})


async def _dribble(fault: Fault, request: web.Request, status: int, body: bytes) -> web.StreamResponse:
    stream = web.StreamResponse(
        status=status, headers={"Content-Type": "application/json;charset=UTF-8", **fault.headers}
    )
    stream.content_length = len(body)
    await stream.prepare(request)
    piece = max(1, -(-len(body) // DRIBBLES))
    for start in range(0, len(body), piece):
        await asyncio.sleep(fault.delay_ms / 1000 / DRIBBLES)
        await stream.write(body[start : start + piece])
    await stream.write_eof()
    return stream
