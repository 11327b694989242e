"""Slack's incoming webhook on loopback: it holds messages against what Slack documents, and can fail as Slack does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.doubles.http import HttpDouble, Request

PATH = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"


class SlackDouble(HttpDouble):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def texts(self) -> list[str]:
        """The fallback texts of the messages it took."""
        return [request.body["text"] for request in self.taken]

    def judge(self, request: Request) -> web.Response | None:
        if request.path != PATH:
            return web.Response(status=404, text="no_service")
        problems = problems_of(request.body)
        if not problems:
            return None
        self.refused += problems
        return web.Response(status=400, text="invalid_payload" if "payload" in problems[0] else "invalid_blocks")

    def accept(self, request: Request, number: int) -> web.Response:  # noqa: ARG002 - Slack tells nothing of the message
        return web.Response(text="ok")


def problems_of(body: Any) -> list[str]:
    """What Slack would not take of a message."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str) or not body["text"]:
        return ["payload without text"]
    problems = [] if len(body["text"]) <= 40_000 else ["payload with a text of more than 40,000 characters"]
    blocks = body.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > 50:
        return [*problems, "more than 50 blocks"]
    return problems + [problem for block in blocks for problem in _block_problems(block)]


def _block_problems(block: dict[str, Any]) -> list[str]:
    kind = block.get("type")
    if kind == "header":
        return _text_problems("header", block.get("text"), ("plain_text",), 150)
    if kind == "section":
        return _text_problems("section", block.get("text"), ("plain_text", "mrkdwn"), 3000)
    if kind == "context":
        elements = block.get("elements", [])
        if not 1 <= len(elements) <= 10:
            return ["context of none or more than ten elements"]
        return [
            problem
            for element in elements
            for problem in _text_problems("context", element, ("plain_text", "mrkdwn"), 2000)
        ]
    return [f"block of type {kind}"]


def _text_problems(where: str, text: Any, kinds: tuple[str, ...], limit: int) -> list[str]:
    if not isinstance(text, dict) or set(text) - {"type", "text", "emoji", "verbatim"} or text.get("type") not in kinds:
        return [f"{where} with {text!r} for a text"]
    content = text["text"]
    if not isinstance(content, str) or not 1 <= len(content) <= limit:
        return [f"{where} of none or more than {limit} characters"]
    if text["type"] == "mrkdwn" and (unescaped := re.sub(r"<https?://[^<>|]+\|[^<>|]+>", "", content)) != content:
        content = unescaped
    if text["type"] == "mrkdwn" and re.search(r"[<>]|&(?!amp;|lt;|gt;)", content):
        return [f"{where} with a character that is not escaped"]
    return []


@contextmanager
def slack_double() -> Iterator[SlackDouble]:
    """A webhook that takes messages."""
    double = SlackDouble()
    with double.serving():
        yield double
