"""Failures on demand: which requests fail, how, and how often."""

import asyncio
import re
from typing import Any

import msgspec
from aiohttp import web

KINDS = ("status", "html", "empty", "truncate", "repeat_token", "reset", "slow_body", "empty_list_with_login_header")


class Fault(msgspec.Struct, kw_only=True):
    """One failure, for requests whose path matches."""

    match: str
    """Regular expression, found anywhere in the path."""
    method: str | None = None
    times: int | None = 1
    """How many requests it hits; null for every one."""
    kind: str = "status"
    status: int = 500
    body: str = ""
    headers: dict[str, str] = {}
    delay_ms: int = 0

    def hits(self, request: web.Request) -> bool:
        return (
            self.times != 0
            and (self.method is None or self.method == request.method)
            and re.search(self.match, request.path) is not None
        )


LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log in with Atlassian account</title></head><body>Log in</body></html>"


class Faults:
    """The failures that are set up now."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def set(self, faults: list[Fault]) -> None:
        for fault in faults:
            if fault.kind not in KINDS:
                raise ValueError(f"unknown kind {fault.kind!r}; one of {', '.join(KINDS)}")
        self._faults = faults

    def take(self, request: web.Request) -> Fault | None:
        """The fault that hits this request, counted."""
        for fault in self._faults:
            if fault.hits(request):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


async def answer(fault: Fault, request: web.Request, good: web.StreamResponse | None) -> web.StreamResponse:
    """The failing answer; `good` is what the endpoint would have said."""
    await asyncio.sleep(fault.delay_ms / 1000)
    headers = dict(fault.headers)
    if fault.kind == "html":
        return web.Response(
            status=fault.status, text=fault.body or LOGIN_PAGE, content_type="text/html", headers=headers
        )
    if fault.kind == "empty":
        return web.Response(status=200, headers=headers)
    if fault.kind == "empty_list_with_login_header":
        headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
        return web.json_response({"issues": [], "isLast": True}, headers=headers)
    if fault.kind == "reset":
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if fault.kind in ("truncate", "repeat_token", "slow_body"):
        return await _bent(fault, request, good)
    body: Any = fault.body or msgspec.json.encode({"errorMessages": ["on demand"], "errors": {}}).decode()
    return web.Response(status=fault.status, text=body, content_type="application/json", headers=headers)


async def _bent(fault: Fault, request: web.Request, good: web.StreamResponse | None) -> web.StreamResponse:
    body = good.body if isinstance(good, web.Response) and isinstance(good.body, bytes) else b"{}"
    if fault.kind == "truncate":
        return web.Response(body=body[: len(body) // 2], content_type="application/json")
    if fault.kind == "repeat_token":
        asked = await request.json() if request.method == "POST" else dict(request.query)
        answered = msgspec.json.decode(body)
        answered["nextPageToken"] = asked.get("nextPageToken") or "always-the-same"
        answered["isLast"] = False
        return web.json_response(answered)
    stream = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await stream.prepare(request)
    for byte in range(len(body)):
        await stream.write(body[byte : byte + 1])
        await asyncio.sleep(1)
    return stream
