"""How many more requests Jira allows us, read from the headers of an answer. Pure.

Source: Atlassian's rate-limit page. `X-RateLimit-Remaining` and `-Limit` are of the burst limit of one endpoint; the
structured `RateLimit: "policy";r=…` and `RateLimit-Policy: "policy";q=…` of quotas for the whole app or site. Both come
with `Beta-` in front while Atlassian does not enforce them yet.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

BURST: Final = "burst"
"""Our name for the limit of requests to one endpoint in a short time."""
MOST: Final = 8
"""Policies read from one answer."""

_NUMBER: Final = re.compile(r"\d{1,12}", re.ASCII)
_POLICY: Final = re.compile(r'"?([A-Za-z0-9_.-]{1,60})"?((?:\s*;\s*[a-z]{1,10}=\d{1,12})+)', re.ASCII)
_PART: Final = re.compile(r"([a-z]{1,10})=(\d{1,12})", re.ASCII)


class Allowance(NamedTuple):
    """One of the limits that hold for us."""

    policy: str
    endpoint: str
    """The endpoint it is for; empty: for all."""
    remaining: float | None
    limit: float | None
    seconds: float | None
    """Until it is whole again, where Jira says so."""


def allowances(endpoint: str, headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """The limits that an answer of `endpoint` reports. `headers` has lower-case names."""
    burst = Allowance(
        BURST, endpoint, _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-limit")), None
    )
    of_endpoint = () if burst.remaining is None and burst.limit is None else (burst,)
    left, wait, most = (
        {name: value for header in (f"beta-{kind}", kind) for name, value in _policies(headers.get(header), part)}
        for kind, part in (("ratelimit", "r"), ("ratelimit", "t"), ("ratelimit-policy", "q"))
    )
    names = sorted(left.keys() | most.keys())[:MOST]
    return of_endpoint + tuple(Allowance(name, "", left.get(name), most.get(name), wait.get(name)) for name in names)


def _number(text: str | None) -> float | None:
    text = (text or "").strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _policies(text: str | None, part: str) -> Iterator[tuple[str, float]]:
    for name, parts in _POLICY.findall(text or ""):
        numbers = dict(_PART.findall(parts))
        if part in numbers:
            yield name, float(numbers[part])
