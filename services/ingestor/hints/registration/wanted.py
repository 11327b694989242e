"""Which webhooks there should be, and what is to be done about those that there are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from libs.jira_client.models import Webhook

EVENTS: Final = (
    *("jira:issue_created", "jira:issue_updated", "jira:issue_deleted"),
    *("comment_created", "comment_updated", "comment_deleted"),
)
"""Of what an app may hear all that concerns issues. A worklog shows as an update of its issue."""

MOST: Final = 5
"""Webhooks that Jira keeps of one user of an app on one site."""
EACH: Final = 50
"""Projects of one webhook; more only where they are too many for all but one of `MOST`."""

REFRESHED: Final = timedelta(days=23)
"""One that ends within this is refreshed: a week after it was registered for 30 days."""
LOST: Final = timedelta(days=7)
"""One that ends within this although it was refreshed, or was not for weeks, is registered anew."""


class Known(msgspec.Struct, frozen=True):
    """A webhook as we have registered it: Jira may show its filter in other words."""

    id: int
    url: str
    jql: str


class Plan(NamedTuple):
    """What is to be done."""

    kept: tuple[Known, ...]
    create: tuple[str, ...]
    """By their JQL."""
    refresh: tuple[int, ...]
    remove: tuple[int, ...]
    removes_first: bool
    """Whether there is no room for the new ones beside those that go."""


def filters(keys: Iterable[str]) -> list[str]:
    """The JQL of each webhook for these projects. One is left free, so that one can be replaced by a new one."""
    ordered = sorted(set(keys))
    each = max(EACH, -(-len(ordered) // (MOST - 1)))
    return [_filter(ordered[start : start + each]) for start in range(0, len(ordered), each)]


def _filter(keys: Sequence[str]) -> str:
    quoted = ", ".join(f'"{key}"' for key in keys)
    return f"project in ({quoted})"


def plan(wanted: Sequence[str], url: str, shown: Sequence[Webhook], known: Mapping[int, Known], now: datetime) -> Plan:
    """What is to be done, so that there is one webhook for each filter, and no other of ours.

    Args:
        wanted: JQL of each.
        url: where they send.
        shown: those that Jira has of our app; some may be another installation's, which has another address.
        known: those that we remember to have registered, by their ids, which Jira may have given anew since.
        now: UTC.
    """
    ours = [one for one in shown if one.url == url or (one.id in known and known[one.id].url == one.url)]
    left = sorted((one for one in ours if one.url == url and not _ends_soon(one, now)), key=_by_end, reverse=True)
    kept: list[tuple[Webhook, str]] = []
    for jql in wanted:
        found = next((one for one in left if _is(one, jql, known)), None)
        if found is not None:
            left.remove(found)
            kept.append((found, jql))
    stay = {one.id for one, _ in kept}
    served = {jql for _, jql in kept}
    create = tuple(jql for jql in wanted if jql not in served)
    return Plan(
        kept=tuple(Known(one.id, url, jql) for one, jql in kept),
        create=create,
        refresh=tuple(one.id for one, _ in kept if one.ends_at is None or one.ends_at - now < REFRESHED),
        remove=tuple(one.id for one in ours if one.id not in stay),
        removes_first=len(shown) + len(create) > MOST,
    )


def _is(one: Webhook, jql: str, known: Mapping[int, Known]) -> bool:
    """Whether it is the one of that filter, and tells of all that we want to hear."""
    remembered = known.get(one.id)
    asked = remembered.jql if remembered is not None and remembered.url == one.url else one.jql_filter
    return _words(asked) == _words(jql) and set(EVENTS) <= set(one.events)


def _words(jql: str) -> list[str]:
    return re.findall(r"[\w-]+", jql.casefold())


def _ends_soon(one: Webhook, now: datetime) -> bool:
    return one.ends_at is not None and one.ends_at - now < LOST


def _by_end(one: Webhook) -> tuple[float, int]:
    return (one.ends_at.timestamp() if one.ends_at else 0.0, one.id)


def named_in(errors: Iterable[str], keys: Iterable[str]) -> set[str]:
    """The projects because of which Jira refuses a webhook, as far as it names them."""
    words = {word for error in errors for word in re.findall(r"[\w-]+", error)}
    return {key for key in keys if key in words}
