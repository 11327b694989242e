"""Answers that are wrong once: the next request of the same kind is answered rightly."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from libs.jira_simulator.faults import EDGE_PAGE


class Answer(NamedTuple):
    """What goes back to a client."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = MappingProxyType({})


class Stray(NamedTuple):
    name: str
    status: int | None = None
    """None: the right one."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = "error"
    """``right``, ``error`` (one of Jira's), ``html``, ``empty``, ``half``, ``empty page`` (of a search)."""
    content_type: str = "application/json"
    costs_the_run: bool = False
    """Whether the run may end by it: Jira asks for more time than a run has, or calls the question itself wrong."""

    @property
    def harmless(self) -> bool:
        """Whether the answer is right all the same."""
        return self.status is None and self.body in ("right", "empty page")


_ABSURD: Final = ("31557600000000", "Fri, 31 Dec 9999 23:59:59 GMT", "999999999999999999999999")
_NO_WAIT: Final = ("-5", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT", "0")
_HINTS: Final = (
    ("X-RateLimit-Remaining", "0"),
    ("X-RateLimit-Reset", "9999-01-01T00:00Z"),
    ("RateLimit", '"jira-quota-global-based";r=0;t=3600'),
)

STRAYS: Final[tuple[Stray, ...]] = (
    Stray("hints on a right answer", None, _HINTS, "right"),
    Stray("Retry-After on a right answer", None, (("Retry-After", _ABSURD[0]),), "right"),
    Stray("JSON as text/html", None, (), "right", "text/html"),
    Stray("JSON as text/plain", None, (), "right", "text/plain"),
    Stray("empty page with a fresh token", None, (), "empty page"),
    Stray("no body", None, (), "empty"),
    Stray("half a body", None, (), "half"),
    Stray("401", 401),
    Stray("403", 403),
    Stray("404", 404),
    Stray("404 with hints", 404, _HINTS),
    Stray("400 with hints", 400, _HINTS, costs_the_run=True),
    Stray("500 with hints", 500, _HINTS),
    Stray("502", 502, (), "html", "text/html"),
    Stray("503", 503, (), "html", "text/html"),
    Stray("504", 504, (), "html", "text/html"),
    *(Stray(f"429, Retry-After {wait!r}", 429, (("Retry-After", wait),)) for wait in _NO_WAIT),
    *(Stray(f"429, Retry-After {wait!r}", 429, (("Retry-After", wait),), costs_the_run=True) for wait in _ABSURD),
    Stray("503, Retry-After absurd", 503, (("Retry-After", _ABSURD[0]),), costs_the_run=True),
)


def strayed(stray: Stray, right: Answer, token: str | None = None) -> Answer:
    """The right answer, gone astray. `token` leads to the page of a search that an empty one goes before."""
    error = json.dumps({"errorMessages": ["A simulated stray."], "errors": {}}).encode()
    bodies = {
        "right": right.body,
        "error": error,
        "html": EDGE_PAGE.encode(),
        "empty": b"",
        "empty page": json.dumps({"issues": [], "nextPageToken": token, "isLast": False}).encode(),
        "half": right.body[: len(right.body) // 2],
    }
    status = right.status if stray.status is None else stray.status
    return Answer(status, bodies[stray.body], stray.content_type, {**right.headers, **dict(stray.headers)})


def refusal(status: int) -> Answer:
    """A lasting refusal of one list or look-up; the edge answers with a page of its own."""
    if status > 500:
        return Answer(status, EDGE_PAGE.encode(), "text/html")
    return Answer(status, json.dumps({"errorMessages": [f"Refused with {status}."], "errors": {}}).encode())


def stray_of(seed: int, number: int, rate: float) -> Stray | None:
    """What becomes of the request of that number."""
    rng = random.Random(f"{seed} stray {number}")
    return rng.choice(STRAYS) if rng.random() < rate else None
